/// The machines that are known by name.
public enum MachineCatalog {
  /// In the order of the catalogue. A new machine adds its line here.
  public static let machines: [MachineModel] = [
    .skylakeSP, .cascadeLake, .iceLakeSP, .sapphireRapids, .emeraldRapids, .zen4, .zen5,
  ]

  /// The machine of the letter, and where nothing is asked for.
  public static let defaultName = "sapphire-rapids"

  /// The machine of this name.
  public static func machine(named name: String) -> MachineModel? {
    machines.first { $0.name == name }
  }
}
