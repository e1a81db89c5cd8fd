// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "ModelCheck",
  targets: [
    .target(name: "ToolRuns", swiftSettings: settings),
    .executableTarget(
      name: "modelcheck", dependencies: ["ToolRuns"], swiftSettings: settings),
    .executableTarget(name: "letter", dependencies: ["ToolRuns"], swiftSettings: settings),
    // Runs under Valgrind, for a profile of reuse times.
    .executableTarget(name: "matvec", cSettings: [.unsafeFlags(["-O2", "-g0"])]),
  ]
)
