import Domains
import EventModel
import Foundation
import Testing

@Suite("The list of all domains")
struct DomainsTests {
    private static func folders(_ path: String) throws -> [String] {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try FileManager.default.contentsOfDirectory(atPath: package.appendingPathComponent(path).path)
            .filter { !$0.contains(".") }.sorted()
    }

    @Test func `has each folder of a domain, and each has its tests`() throws {
        let known = Domains.all.map(\.name)
        let folders = try Self.folders("Sources/Domains")
        #expect(
            known == folders.map { $0.lowercased() },
            "the package manager remembers other folders: make build has it look again")
        #expect(try Self.folders("Tests/Domains") == folders)
    }

    @Test func `gives every importer, query and topic a name of its own`() {
        let importers = Domains.all.flatMap(\.importers).map(\.name)
        #expect(Set(importers).count == importers.count && importers.contains("access-log"))
        let queries = Domains.all.flatMap(\.queries).map(\.name)
        #expect(Set(queries).count == queries.count)
        let topics = Domains.all.flatMap(\.topics).map(\.name)
        #expect(Set(topics).count == topics.count)
        for domain in Domains.all {
            let own = Set(domain.topics.map(\.name))
            for importer in domain.importers { #expect(own.contains(importer.topic), "\(importer.name)") }
        }
    }
}
