/// Payload slots of `pagemap:mm_lru_insertion`.
public enum LRUInsertion {
  /// First frame of the folio.
  public static let pfn = 0
  /// `enum lru_list`: 0 inactive anon, 1 active anon, 2 inactive file, 3 active file, 4 unevictable.
  public static let lru = 1
  /// Mapped 1, anon 2, file 4, swap cache 8, swap backed 0x10, mapped to disk 0x20, private 0x40.
  /// Text prints them as letters, which readers turn back.
  public static let flags = 2
}

/// Payload slots of `mm_filemap_add_to_page_cache` and `mm_filemap_delete_from_page_cache`.
public enum FilemapChange {
  /// First frame of the folio.
  public static let pfn = 0
  /// Inode number.
  public static let inode = 1
  /// Page index in the file. Text prints it in bytes (`ofs=`, index << 12); readers shift it back.
  public static let index = 2
  /// Kernel `dev_t`: major << 20 | minor.
  public static let device = 3
  /// Folio order; absent on kernels before 6.x that lack it.
  public static let order = 4
}

extension Tracepoint {
  /// Linux 6.12 `include/trace/events/pagemap.h`.
  static let pagemap = [
    Tracepoint(
      .lruInsertion, "pagemap", "mm_lru_insertion",
      [
        TracepointField("pfn"), TracepointField("lru"),
        TracepointField("flags", .flags(names: [:])),
      ]),
    Tracepoint(.lruActivate, "pagemap", "mm_lru_activate", [TracepointField("pfn")]),
  ]

  private static let cacheFields = [
    TracepointField("pfn"), TracepointField("i_ino", .hexadecimal, aliases: ["ino"]),
    TracepointField("index", aliases: ["ofs"]), TracepointField("s_dev", aliases: ["dev"]),
    TracepointField("order"),
  ]

  /// Linux 6.12 `include/trace/events/filemap.h`.
  static let filemap = [
    Tracepoint(.filemapAdd, "filemap", "mm_filemap_add_to_page_cache", cacheFields),
    Tracepoint(.filemapDelete, "filemap", "mm_filemap_delete_from_page_cache", cacheFields),
    Tracepoint(.filemapFault, "filemap", "mm_filemap_fault"),
    Tracepoint(.filemapMapPages, "filemap", "mm_filemap_map_pages"),
    Tracepoint(.filemapGetPages, "filemap", "mm_filemap_get_pages"),
  ]
}
