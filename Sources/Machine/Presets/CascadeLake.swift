extension MachineModel {
  /// Cascade Lake: Skylake-SP's TLBs, without Meltdown.
  static let cascadeLake: MachineModel = {
    var model = skylakeSP.named(
      "cascade-lake", "Intel Cascade Lake (Xeon Scalable, 2019): TLBs of Skylake-SP")
    model.isPageTableIsolated = false
    return model
  }()
}
