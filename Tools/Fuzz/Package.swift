// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A target whose `main` comes from libFuzzer: `Tools/run-fuzzer` has the flags that it needs.
func fuzzTarget(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["FuzzSupport"],
    swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "tlbreplay", path: "../..")],
  targets: [
    .target(
      name: "FuzzSupport",
      dependencies: [.product(name: "TraceChecking", package: "tlbreplay")],
      swiftSettings: settings),
    fuzzTarget("FuzzTraceDat"),
    fuzzTarget("FuzzPerfData"),
    fuzzTarget("FuzzText"),
    fuzzTarget("FuzzCapture"),
    .executableTarget(
      name: "MakeSeeds",
      dependencies: [
        .product(name: "TraceEvents", package: "tlbreplay"),
        .product(name: "TraceWriting", package: "tlbreplay"),
      ],
      swiftSettings: settings),
  ]
)
