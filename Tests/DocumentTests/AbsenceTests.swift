import Foundation
import Testing

/// The list in README of what is not there names what is not there, and all of it that was thought of.
@Suite("What is not there", .timeLimit(.minutes(10)))
struct AbsenceTests {
    /// A world, and the names that its domain may have in the code. The first is that of the list.
    private static let worlds: [[String]] = [
        ["accounts", "profiles", "users"], ["youtube", "videos", "video"], ["chat", "messages", "whatsapp"],
        ["shop", "carts", "inventory", "store"], ["kv", "keyvalue"], ["cache", "caches"],
        ["links", "urls", "shortlinks"], ["netflix", "streaming", "playback"],
    ]
    private static let gateway = ["serve", "gateway", "http"]

    private let list = Document("README.md").section("## What is not there")

    /// What stands in backticks, outside of links.
    private var named: [String] { list.matches(of: #/`([^`\n]+)`/#).map { String($0.1) } }
    private var domains: [String] { Document.firstCells(list) }

    private func domainsOfCode() async throws -> Set<String> {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Document.root + "/Sources/Domains")
        return try await Program.names("events --json", "domain").union(folders.map { $0.lowercased() })
    }

    @Test func `each world is a domain of the code or in the list, and never both`() async throws {
        let code = try await domainsOfCode()
        for names in Self.worlds {
            let isThere = names.contains { code.contains($0) }
            let isListed = names.contains { domains.contains($0) }
            #expect(isThere != isListed, "\(names[0]): in the code \(isThere), in the list of what is not \(isListed)")
        }
        #expect(code.isDisjoint(with: domains))
    }

    @Test func `domains that the list says are there are there`() async throws {
        let there = Set(list.matches(of: #/\]\(docs\/domains\/(\w+)\.md\)/#).map { String($0.1) })
        #expect(there.isSuperset(of: ["tickets", "hits", "social", "orders", "rides"]))
        #expect(try await domainsOfCode().isSuperset(of: there))
        let worlds = Set(Self.worlds.joined())
        #expect(try await domainsOfCode().intersection(worlds).isSubset(of: there))
    }

    @Test func `each domain of the program is in the list as one that is there`() async throws {
        let there = Set(list.matches(of: #/\]\(docs\/domains\/(\w+)\.md\)/#).map { String($0.1) })
        let domains = try await Program.names("events --json", "domain")
        #expect(domains == there)
    }

    @Test func `values of kv are as large as the list says`() throws {
        let limits = try Code.matches(#"static let value = (\d[\d_]*)"#, in: ["Sources/Domains/KV"])
        #expect(limits.count == 1)
        let limit = try #require(limits.first.flatMap { Int($0.replacing("_", with: "")) })
        let told = try #require(list.firstMatch(of: #/values of\s+(\d+) (KiB|MiB)\s+at\s+most/#))
        let unit = told.2 == "MiB" ? 1_048_576 : 1024
        #expect(Int(told.1).map { $0 * unit } == limit)
    }

    @Test func `the gateway is a command of the program or in the list, and never both`() async throws {
        let commands = try await Program.commands()
        let isThere = Self.gateway.contains { commands.contains($0) }
        #expect(isThere != Self.gateway.contains { named.contains("millrace \($0)") })
    }

    @Test func `the list names no command, kind, query, topic or target that is there`() async throws {
        var there = Set(try await Program.commands().map { "millrace \($0)" })
        there.formUnion(try await Program.names("events --json", "name"))
        there.formUnion(try await domainsOfCode())
        there.formUnion(try await Program.names("topics list --json", "topic"))
        for view in try await Program.objects("views --json") {
            there.formUnion(view["queries"] as? [String] ?? [])
            there.formUnion([view["projection"] as? String ?? ""])
        }
        there.formUnion(try Code.matches(#"(?m)^([a-z-]+):"#, in: ["Makefile"]).map { "make \($0)" })
        #expect(there.count > 50)
        #expect(named.count > 5)
        for name in named {
            let command = name.split(separator: " ").prefix(2).joined(separator: " ")
            #expect(!there.contains(name) && !there.contains(command), "\(name) is there")
        }
        // What the list was once wrong about.
        #expect(!list.contains("uarantine"))
    }
}
