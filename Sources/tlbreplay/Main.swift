import ArgumentParser
import Reporting
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// The command line: `tlbreplay SUBCOMMAND INPUT`.
@main
struct TLBReplay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tlbreplay",
    abstract:
      "Replay captured kernel traces for TLB shootdowns, with and without lazy unmap flush.",
    discussion: """
      INPUT is a trace (trace.dat, perf.data, or the text of ftrace, trace-cmd report or perf script, \
      maybe gzip or zstd compressed), - for standard input, or a capture directory.

      Exit codes: 0 good, 1 a check failed, 2 usage, 3 the input cannot be read or is unfit, 4 a bug.
      """,
    version: toolVersion,
    subcommands: [
      InfoCommand.self, StatCommand.self, ReportCommand.self, WhoCommand.self, CompareCommand.self,
      ConvertCommand.self, BaselineCommand.self, CheckCommand.self, SweepCommand.self,
      SynthCommand.self, ProfileCommand.self, PoliciesCommand.self, MachinesCommand.self,
    ])

  static let toolVersion = "0.1.0"

  static func main() {
    // A reader that goes away (`| head`) ends the program quietly, as with other tools.
    signal(SIGPIPE, SIG_DFL)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as TraceError {
      fail(error.description, code: 3)
    } catch let error as CheckFailure {
      fail(error.description, code: 1)
    } catch let error as OutputError {
      fail(error.description, code: 3)
    } catch let error as InternalError {
      fail(
        "\(error.description)\nThis is a bug in tlbreplay \(toolVersion): please report it with the command line and, if you can, the trace.",
        code: 4)
    } catch {
      let code = exitCode(for: error)
      // ArgumentParser says 64 for usage; help and version are successes.
      if code == .success {
        exit(withError: error)
      }
      writeError(fullMessage(for: error) + "\n")
      Glibc.exit(2)
    }
  }

  private static func fail(_ message: String, code: Int32) -> Never {
    writeError("tlbreplay: \(message)\n")
    Glibc.exit(code)
  }
}

/// Writes to standard error; what cannot be written there cannot be told anywhere.
func writeError(_ text: String) {
  var text = text
  text.withUTF8 { bytes in
    var written = 0
    while written < bytes.count {
      let got = write(STDERR_FILENO, bytes.baseAddress.map { $0 + written }, bytes.count - written)
      if got <= 0 { return }
      written += got
    }
  }
}

/// What the user asked to be checked does not hold.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String
}

/// Output could not be written.
struct OutputError: Error, CustomStringConvertible {
  let description: String
}

/// A state that the tool believes impossible.
struct InternalError: Error, CustomStringConvertible {
  let description: String
}
