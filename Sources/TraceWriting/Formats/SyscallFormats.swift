import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `kernel/trace/trace_syscalls.c` and `include/trace/events/syscalls.h`.
  static let syscalls: [EventFormat] = [
    EventFormat(
      .sysEnterExit, id: 150,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("int error_code", 16, 8),
      ],
      printFormat: #"""
        "error_code: 0x%08lx", ((unsigned long)(REC->error_code))
        """#),
    EventFormat(
      .sysEnterExitGroup, id: 148,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("int error_code", 16, 8),
      ],
      printFormat: #"""
        "error_code: 0x%08lx", ((unsigned long)(REC->error_code))
        """#),
    EventFormat(
      .sysEnterMadvise, id: 697,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned long start", 16, 8),
        FieldLayout("size_t len_in", 24, 8),
        FieldLayout("int behavior", 32, 8),
      ],
      printFormat: #"""
        "start: 0x%08lx, len_in: 0x%08lx, behavior: 0x%08lx", \#
        ((unsigned long)(REC->start)), ((unsigned long)(REC->len_in)), \#
        ((unsigned long)(REC->behavior))
        """#),
    EventFormat(
      .sysEnterMmap, id: 101,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned long addr", 16, 8),
        FieldLayout("unsigned long len", 24, 8),
        FieldLayout("unsigned long prot", 32, 8),
        FieldLayout("unsigned long flags", 40, 8),
        FieldLayout("unsigned long fd", 48, 8),
        FieldLayout("unsigned long off", 56, 8),
      ],
      printFormat: #"""
        "addr: 0x%08lx, len: 0x%08lx, prot: 0x%08lx, flags: 0x%08lx, fd: 0x%08lx, \#
        off: 0x%08lx", ((unsigned long)(REC->addr)), ((unsigned long)(REC->len)), \#
        ((unsigned long)(REC->prot)), ((unsigned long)(REC->flags)), \#
        ((unsigned long)(REC->fd)), ((unsigned long)(REC->off))
        """#),
    EventFormat(
      .sysEnterMovePages, id: 722,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("pid_t pid", 16, 8),
        FieldLayout("unsigned long nr_pages", 24, 8),
        FieldLayout("const void * * pages", 32, 8),
        FieldLayout("const int * nodes", 40, 8),
        FieldLayout("int * status", 48, 8),
        FieldLayout("int flags", 56, 8),
      ],
      printFormat: #"""
        "pid: 0x%08lx, nr_pages: 0x%08lx, pages: 0x%08lx, nodes: 0x%08lx, status: 0x%08lx, \#
        flags: 0x%08lx", ((unsigned long)(REC->pid)), ((unsigned long)(REC->nr_pages)), \#
        ((unsigned long)(REC->pages)), ((unsigned long)(REC->nodes)), \#
        ((unsigned long)(REC->status)), ((unsigned long)(REC->flags))
        """#),
    EventFormat(
      .sysEnterMprotect, id: 675,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned long start", 16, 8),
        FieldLayout("size_t len", 24, 8),
        FieldLayout("unsigned long prot", 32, 8),
      ],
      printFormat: #"""
        "start: 0x%08lx, len: 0x%08lx, prot: 0x%08lx", ((unsigned long)(REC->start)), \#
        ((unsigned long)(REC->len)), ((unsigned long)(REC->prot))
        """#),
    EventFormat(
      .sysEnterMremap, id: 677,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned long addr", 16, 8),
        FieldLayout("unsigned long old_len", 24, 8),
        FieldLayout("unsigned long new_len", 32, 8),
        FieldLayout("unsigned long flags", 40, 8),
        FieldLayout("unsigned long new_addr", 48, 8),
      ],
      printFormat: #"""
        "addr: 0x%08lx, old_len: 0x%08lx, new_len: 0x%08lx, flags: 0x%08lx, \#
        new_addr: 0x%08lx", ((unsigned long)(REC->addr)), ((unsigned long)(REC->old_len)), \#
        ((unsigned long)(REC->new_len)), ((unsigned long)(REC->flags)), \#
        ((unsigned long)(REC->new_addr))
        """#),
    EventFormat(
      .sysEnterMunmap, id: 661,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned long addr", 16, 8),
        FieldLayout("size_t len", 24, 8),
      ],
      printFormat: #"""
        "addr: 0x%08lx, len: 0x%08lx", ((unsigned long)(REC->addr)), \#
        ((unsigned long)(REC->len))
        """#),
    EventFormat(
      .sysEnterPwrite64, id: 803,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned int fd", 16, 8),
        FieldLayout("const char * buf", 24, 8),
        FieldLayout("size_t count", 32, 8),
        FieldLayout("loff_t pos", 40, 8),
      ],
      printFormat: #"""
        "fd: 0x%08lx, buf: 0x%08lx, count: 0x%08lx, pos: 0x%08lx", \#
        ((unsigned long)(REC->fd)), ((unsigned long)(REC->buf)), \#
        ((unsigned long)(REC->count)), ((unsigned long)(REC->pos))
        """#),
    EventFormat(
      .sysEnterWrite, id: 807,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("unsigned int fd", 16, 8),
        FieldLayout("const char * buf", 24, 8),
        FieldLayout("size_t count", 32, 8),
      ],
      printFormat: #"""
        "fd: 0x%08lx, buf: 0x%08lx, count: 0x%08lx", ((unsigned long)(REC->fd)), \#
        ((unsigned long)(REC->buf)), ((unsigned long)(REC->count))
        """#),
    EventFormat(
      .sysExitMadvise, id: 696,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitMmap, id: 100,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitMovePages, id: 721,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitMprotect, id: 674,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitMremap, id: 676,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitMunmap, id: 660,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitPwrite64, id: 802,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .sysExitWrite, id: 806,
      [
        FieldLayout("int __syscall_nr", 8, 4, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "0x%lx", REC->ret
        """#),
    EventFormat(
      .rawSysEnter, id: 384,
      [
        FieldLayout("long id", 8, 8, signed: true),
        FieldLayout("unsigned long args[6]", 16, 48),
      ],
      printFormat: #"""
        "NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)", REC->id, REC->args[0], REC->args[1], \#
        REC->args[2], REC->args[3], REC->args[4], REC->args[5]
        """#),
    EventFormat(
      .rawSysExit, id: 383,
      [
        FieldLayout("long id", 8, 8, signed: true),
        FieldLayout("long ret", 16, 8, signed: true),
      ],
      printFormat: #"""
        "NR %ld = %ld", REC->id, REC->ret
        """#),
  ]
}
