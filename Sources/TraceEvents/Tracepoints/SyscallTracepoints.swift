/// Payload slots of the entry events of `munmap`, `mprotect`, `madvise`, `mmap` and `mremap`.
public enum MemorySyscall {
  /// Start address.
  public static let address = 0
  /// Bytes.
  public static let length = 1
  /// `prot` of mmap and mprotect, `behavior` of madvise, `new_len` of mremap.
  public static let detail = 2
  /// `flags` of mmap and mremap.
  public static let flags = 3
  /// `fd` of mmap, `new_addr` of mremap.
  public static let file = 4
}

/// Payload slot of the `sys_exit_*` events.
public enum SyscallExit {
  /// What the call returned.
  public static let result = 0
}

/// Payload slots of `raw_syscalls:sys_enter` and `sys_exit`.
public enum RawSyscall {
  /// System call number.
  public static let number = 0
  /// First of six arguments; of `sys_exit`, the return value.
  public static let firstArgument = 1
}

extension Tracepoint {
  private static func enter(
    _ kind: EventKind, _ call: String, _ fields: [TracepointField]
  ) -> Tracepoint {
    Tracepoint(kind, "syscalls", "sys_enter_\(call)", fields)
  }

  private static func exit(_ kind: EventKind, _ call: String) -> Tracepoint {
    Tracepoint(kind, "syscalls", "sys_exit_\(call)", [TracepointField("ret")])
  }

  private static let address = TracepointField("addr", .hexadecimal, aliases: ["start"])
  private static let length = TracepointField(
    "len", .hexadecimal, aliases: ["len_in", "old_len"])

  /// Linux 6.12 `kernel/trace/trace_syscalls.c`; arguments print in hexadecimal in every dialect.
  static let syscalls = [
    enter(
      .sysEnterMmap, "mmap",
      [
        address, length, TracepointField("prot", .hexadecimal),
        TracepointField("flags", .hexadecimal),
        TracepointField("fd", .hexadecimal),
      ]),
    enter(.sysEnterMunmap, "munmap", [address, length]),
    enter(.sysEnterMprotect, "mprotect", [address, length, TracepointField("prot", .hexadecimal)]),
    enter(
      .sysEnterMadvise, "madvise", [address, length, TracepointField("behavior", .hexadecimal)]),
    enter(
      .sysEnterMremap, "mremap",
      [
        address, length, TracepointField("new_len", .hexadecimal),
        TracepointField("flags", .hexadecimal), TracepointField("new_addr", .hexadecimal),
      ]),
    enter(
      .sysEnterWrite, "write",
      [
        TracepointField("fd", .hexadecimal), TracepointField("buf", .hexadecimal),
        TracepointField("count", .hexadecimal),
      ]),
    enter(
      .sysEnterPwrite64, "pwrite64",
      [
        TracepointField("fd", .hexadecimal), TracepointField("buf", .hexadecimal),
        TracepointField("count", .hexadecimal), TracepointField("pos", .hexadecimal),
      ]),
    enter(.sysEnterExit, "exit", [TracepointField("error_code", .hexadecimal)]),
    enter(.sysEnterExitGroup, "exit_group", [TracepointField("error_code", .hexadecimal)]),
    enter(
      .sysEnterMovePages, "move_pages",
      [TracepointField("pid", .hexadecimal), TracepointField("nr_pages", .hexadecimal)]),
    exit(.sysExitMmap, "mmap"), exit(.sysExitMunmap, "munmap"), exit(.sysExitMprotect, "mprotect"),
    exit(.sysExitMadvise, "madvise"), exit(.sysExitMremap, "mremap"), exit(.sysExitWrite, "write"),
    exit(.sysExitPwrite64, "pwrite64"), exit(.sysExitMovePages, "move_pages"),
    Tracepoint(
      .rawSysEnter, "raw_syscalls", "sys_enter",
      [
        TracepointField("id"), TracepointField("args[0]", .hexadecimal),
        TracepointField("args[1]", .hexadecimal), TracepointField("args[2]", .hexadecimal),
        TracepointField("args[3]", .hexadecimal), TracepointField("args[4]", .hexadecimal),
        TracepointField("args[5]", .hexadecimal),
      ]),
    Tracepoint(
      .rawSysExit, "raw_syscalls", "sys_exit", [TracepointField("id"), TracepointField("ret")]),
  ]
}
