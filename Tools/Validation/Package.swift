// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Validation",
  dependencies: [.package(name: "tlbreplay", path: "../..")],
  targets: [
    .executableTarget(
      name: "validation",
      dependencies: [
        .product(name: "TraceEvents", package: "tlbreplay"),
        .product(name: "TraceFiles", package: "tlbreplay"),
        .product(name: "Replay", package: "tlbreplay"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
    .executableTarget(
      name: "misses",
      dependencies: [
        .product(name: "TraceEvents", package: "tlbreplay"),
        .product(name: "Machine", package: "tlbreplay"),
        .product(name: "MissChecking", package: "tlbreplay"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
  ]
)
