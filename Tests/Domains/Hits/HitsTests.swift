import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import HitsDomain

@Suite("A hit")
struct HitsTests {
    private func wrong(_ change: (inout HitsHit) -> Void) -> Malformed? {
        var hit = HitsHit.with {
            ($0.site, $0.path, $0.visitor, $0.method) = ("www.example.org", "/index.html", "10.0.0.1", "GET")
            ($0.status, $0.bytes) = (200, 1024)
        }
        change(&hit)
        do {
            try Hits.check(.hit(hit))
            return nil
        } catch {
            return error
        }
    }
    private func long(_ count: Int) -> String { String(repeating: "x", count: count) }

    @Test func `needs a site and nothing else`() {
        #expect(wrong { _ in } == nil)
        #expect(wrong { $0 = .with { $0.site = "a" } } == nil)
        #expect(wrong { $0.site = "" } == Malformed("site", "is missing"))
    }
    @Test func `is on a site whose name can be part of a key, and is not that of all sites`() {
        for site in ["a b", "a#1", "a:80", "a\n", long(201)] { #expect(wrong { $0.site = site }?.field == "site") }
        #expect(wrong { $0.site = long(200) } == nil)
        #expect(wrong { $0.site = "*" }?.field == "site")
    }
    @Test func `keeps its texts short and free of control characters`() {
        #expect(wrong { $0.path = long(8192) } == nil)
        #expect(wrong { $0.path = long(8193) }?.field == "path")
        #expect(wrong { $0.visitor = long(201) }?.field == "visitor")
        #expect(wrong { $0.method = long(21) }?.field == "method")
        #expect(wrong { $0.referrer = long(8193) }?.field == "referrer")
        #expect(wrong { $0.userAgent = long(4097) }?.field == "userAgent")
        #expect(wrong { $0.path = "/\u{0}" }?.field == "path")
        #expect(wrong { $0.userAgent = "a\u{1b}[2J" }?.field == "userAgent")
    }
    @Test func `has a status that HTTP knows, or none, and no negative size`() {
        for status in [0, 100, 599] as [Int32] { #expect(wrong { $0.status = status } == nil) }
        for status in [-1, 99, 600, .max] as [Int32] { #expect(wrong { $0.status = status }?.field == "status") }
        #expect(wrong { $0.bytes = .max } == nil)
        #expect(wrong { $0.bytes = -1 }?.field == "bytes")
    }
    @Test func `of one site is spread over sixteen keys, one visitor's always under the same`() {
        let keys = (0..<500).map { n in Hits.key(of: .hit(.with { ($0.site, $0.visitor) = ("a", "v\(n)") })) }
        #expect(Set(keys) == Set((0..<16).map { "a#\($0)" }))
        #expect(keys == (0..<500).map { n in Hits.key(of: .hit(.with { ($0.site, $0.visitor) = ("a", "v\(n)") })) })
    }

    @Test func `has a schema with its fields, their types and a comment`() throws {
        let schema = try #require(Domain.hits.telemetry.first).events
        #expect(schema.kinds.map(\.name) == ["Hit"])
        #expect(Domain.hits.schema(of: "hits.events")?.name == "millrace.hits.Event")
        let hit = schema.kinds[0]
        let types = ["string", "string", "string", "string", "int32", "int64", "string", "string"]
        #expect(hit.fields.map(\.type) == types && hit.fields.last?.name == "userAgent" && !hit.about.isEmpty)
    }
}
