import Foundation
import PostgresServer
import Testing

/// What the program is built with, packed in and run beside: the manifest, the image, the compose file, the package.
@Suite("Packaging", .timeLimit(.minutes(10)))
struct PackagingTests {
    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: Document.root + "/" + path, encoding: .utf8)) ?? ""
    }

    /// The stages of the Dockerfile: what builds, and what runs.
    private static let stages: [String] = text("Dockerfile").components(separatedBy: "\nFROM ").dropFirst().map {
        $0.replacing("\\\n", with: " ")
    }

    // MARK: Versions of packages

    /// `swift-log` and its version, of each package that the manifest's tables name.
    private static func declared() -> [String: String] {
        // What only the documentation takes is not built on.
        let manifest = text("Package.swift").replacing(#/let documenting(?s:.*?)\n\n/#, with: "")
        let rows = manifest.matches(of: #/\("https:\/\/[^"]+\/([^"\/]+)", "(\d[^"]*)"\)/#)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.1.lowercased(), String($0.2)) })
    }

    private static let exact = "MILLRACE_EXACT"

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment[exact] == "1",
            "packages may be newer than the manifest's where MILLRACE_EXACT is not set"))
    func `the packages that are built on are those of the manifest's tables, and each is in them`() throws {
        let data = Data(Self.text("Package.resolved").utf8)
        let pins = (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["pins"] as? [[String: Any]] ?? []
        var resolved: [String: String] = [:]
        for pin in pins {
            let state = pin["state"] as? [String: Any]
            resolved[pin["identity"] as? String ?? ""] = state?["version"] as? String ?? ""
        }
        #expect(resolved.count > 8)
        #expect(resolved == Self.declared())
    }

    @Test func `what builds millrace for others takes exact versions`() throws {
        #expect(Self.text("Makefile").contains("\nexport \(Self.exact) := 1\n"))
        for tool in ["test", "deb"] { #expect(Self.text("Tools/\(tool)").contains("\nexport \(Self.exact)=1\n")) }
        let build = try #require(Self.stages.first)
        let isSet = try #require(build.range(of: "ENV \(Self.exact)=1"))
        let isUsed = try #require(build.range(of: "RUN swift package"))
        #expect(isSet.lowerBound < isUsed.lowerBound)
    }

    @Test func `a package that depends on this one may take newer versions`() async throws {
        // Whoever runs the tests has locked the package's own scratch folder.
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        // As SwiftPM reads it, in both modes: its cache is to tell them apart.
        for (setting, requirement) in [("", "range"), ("MILLRACE_EXACT=1 ", "exact"), ("", "range")] {
            let words = "package --package-path '\(Document.root)' --scratch-path '\(scratch)' dump-package 2>/dev/null"
            let dump = try await Shell.run(["unset \(Self.exact)", "\(setting)${SWIFT:-swift} \(words)"])
            let output = Data((dump.outputs.last ?? []).joined(separator: "\n").utf8)
            let manifest = try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
            let packages = (manifest["dependencies"] as? [[String: Any]] ?? []).compactMap {
                ($0["sourceControl"] as? [[String: Any]])?.first
            }
            #expect(packages.count > 7)
            for package in packages {
                let asked = package["requirement"] as? [String: Any] ?? [:]
                #expect(asked.keys.contains(requirement), "\(setting)\(package["identity"] ?? "")")
            }
        }
    }

    // MARK: Libraries

    @Test func `libraries to build with are the same in setup, in the image and in CONTRIBUTING`() throws {
        let setup = Self.text("Tools/setup").matches(of: #/(?m)^(lib[\w-]+|zlib1g)-dev +\S+\.h$/#).map { String($0.1) }
        #expect(setup.count == 6)
        let packages = Set(setup)
        func named(_ text: String) -> Set<String> {
            Set(text.matches(of: #/\b(lib[\w-]+|zlib1g)-dev\b/#).map { String($0.1) })
        }
        #expect(named(try #require(Self.stages.first)) == packages)
        #expect(named(Document("CONTRIBUTING.md").text) == packages)
    }

    // MARK: The image and the compose file

    @Test func `the image runs as a user of its own, and its health is that of its workers`() async throws {
        let image = try #require(Self.stages.last)
        let user = try #require(image.firstMatch(of: #/\nUSER (\w+)\n/#)).1
        #expect(user == "millrace")
        #expect(image.contains("useradd --create-home --uid 10001 millrace"))
        #expect(image.contains(#" CMD ["millrace", "health"]"#))
        #expect(try #require(Self.stages.first).contains("--static-swift-stdlib"))
        #expect(try #require(Self.stages.first).contains("strip "))
        #expect(try await Program.commands().contains("health"))
    }

    @Test func `each service of workers is as healthy as the workers that it runs`() throws {
        let compose = Self.text("docker-compose.yml")
        let services = compose.split(separator: #/\n(?=  \w+:\n)/#)
        var workers: [String] = []
        for service in services {
            guard let kind = service.firstMatch(of: #/command: \["work", "(\w+)"\]/#)?.1 else { continue }
            #expect(service.contains(#"test: ["CMD", "millrace", "health", "\#(kind)"]"#), "\(kind)")
            workers.append(String(kind))
        }
        #expect(workers.sorted() == ["handler", "projector", "reactor"])
    }

    @Test(.enabled(if: PostgresServer.isHere, Comment(rawValue: PostgresServer.absent)))
    func `the PostgreSQL of the compose file is the one that is tested`() async throws {
        let said = try await Shell.run(["\(PostgresServer.program("postgres")) --version"]).outputs.joined().joined()
        let tested = try #require(said.firstMatch(of: #/\(PostgreSQL\) (\d+)/#)).1
        let composed = try #require(Self.text("docker-compose.yml").firstMatch(of: #/image: postgres:(\d+)-bookworm/#))
            .1
        #expect(tested == composed, "put the other one into docker-compose.yml, or on this machine")
    }
}
