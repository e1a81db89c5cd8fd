// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "tlbreplay", path: "../..")],
  targets: [
    .systemLibrary(
      name: "CZstdBaseline", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .executableTarget(
      name: "benchmarks",
      dependencies: [
        "CZstdBaseline",
        .product(name: "Machine", package: "tlbreplay"),
        .product(name: "TraceEvents", package: "tlbreplay"),
        .product(name: "TraceWriting", package: "tlbreplay"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
  ]
)
