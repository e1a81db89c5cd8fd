// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "tlbreplay",
  products: [
    .executable(name: "tlbreplay", targets: ["tlbreplay"]),
    .library(name: "TraceEvents", targets: ["TraceEvents"]),
    .library(name: "TraceFiles", targets: ["TraceFiles"]),
    .library(name: "Replay", targets: ["Replay"]),
    .library(name: "Machine", targets: ["Machine"]),
    .library(name: "Scenarios", targets: ["Scenarios"]),
    .library(name: "Statistics", targets: ["Statistics"]),
    .library(name: "Reporting", targets: ["Reporting"]),
    .library(name: "TraceWriting", targets: ["TraceWriting"]),
    .library(name: "Symbols", targets: ["Symbols"]),
    .library(name: "TraceChecking", targets: ["TraceChecking"]),
    .library(name: "MissChecking", targets: ["MissChecking"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
  ],
  targets: [
    .systemLibrary(name: "CElf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "TraceEvents", swiftSettings: settings),
    .target(
      name: "TraceFiles", dependencies: ["TraceEvents", "CZlib", "CZstd"],
      swiftSettings: settings),
    .target(
      name: "TraceWriting", dependencies: ["TraceEvents", "CZlib", "CZstd"],
      swiftSettings: settings),
    .target(name: "Symbols", dependencies: ["TraceEvents", "CElf"], swiftSettings: settings),
    .target(name: "Replay", dependencies: ["TraceEvents"], swiftSettings: settings),
    .target(name: "Machine", dependencies: ["TraceEvents"], swiftSettings: settings),
    .target(
      name: "Scenarios", dependencies: ["TraceEvents", "TraceWriting", "Machine", "Replay"],
      swiftSettings: settings),
    .target(name: "Statistics", swiftSettings: settings),
    .target(
      name: "Reporting",
      dependencies: ["TraceEvents", "Replay", "Machine", "Scenarios", "Statistics"],
      swiftSettings: settings),
    .executableTarget(
      name: "tlbreplay",
      dependencies: [
        "TraceEvents", "TraceFiles", "TraceWriting", "Replay", "Machine", "Scenarios", "Statistics",
        "Reporting", "Symbols",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "TOMLKit", package: "TOMLKit"),
      ],
      swiftSettings: settings),

    .target(
      name: "TraceBuilding", dependencies: ["TraceEvents"], path: "Tests/TraceBuilding",
      swiftSettings: settings),
    .target(
      name: "TraceChecking", dependencies: ["TraceEvents", "TraceFiles", "Replay"],
      path: "Tests/TraceChecking", swiftSettings: settings),
    .target(
      name: "MissChecking", dependencies: ["TraceEvents", "TraceFiles", "Machine"],
      path: "Tests/MissChecking", swiftSettings: settings),
    .testTarget(
      name: "TraceEventsTests", dependencies: ["TraceEvents"], swiftSettings: settings),
    .testTarget(
      name: "TraceFilesTests",
      dependencies: ["TraceEvents", "TraceFiles", "Replay", "TraceBuilding", "TraceChecking"],
      swiftSettings: settings),
    .testTarget(
      name: "SymbolsTests",
      dependencies: ["Symbols", "TraceEvents", "TraceFiles", "TraceBuilding"],
      swiftSettings: settings),
    .testTarget(
      name: "TraceWritingTests", dependencies: ["TraceEvents", "TraceFiles", "TraceWriting"],
      swiftSettings: settings),
    .testTarget(
      name: "ReplayTests",
      dependencies: ["TraceEvents", "TraceFiles", "Replay", "TraceBuilding"],
      swiftSettings: settings),
    .testTarget(
      name: "MachineTests",
      dependencies: ["TraceEvents", "Machine", "TraceBuilding", "MissChecking"],
      swiftSettings: settings),
    .testTarget(
      name: "ScenariosTests",
      dependencies: [
        "TraceEvents", "TraceFiles", "TraceWriting", "Machine", "Replay", "Scenarios",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Statistics", "TraceBuilding"],
      swiftSettings: settings),
    .testTarget(
      name: "ReportingTests",
      dependencies: [
        "TraceEvents", "Replay", "Machine", "Reporting", "Statistics", "TraceBuilding",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["tlbreplay", "TraceBuilding", "TraceEvents", "TraceWriting", "Reporting"],
      swiftSettings: settings),
  ]
)
