extension MachineModel {
  /// Emerald Rapids: the same cores; Gold 5520+ is among the dumps.
  static let emeraldRapids = sapphireRapids.named(
    "emerald-rapids", "Intel Emerald Rapids (Xeon Scalable, 2023): TLBs of Sapphire Rapids")
}
