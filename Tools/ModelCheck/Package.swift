// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "ModelCheck",
  targets: [
    .executableTarget(
      name: "modelcheck",
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ])
  ]
)
