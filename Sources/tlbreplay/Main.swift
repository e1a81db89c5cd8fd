import ArgumentParser

@main
struct TLBReplay: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tlbreplay")
}
