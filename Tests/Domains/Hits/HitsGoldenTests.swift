import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import HitsDomain

@Suite("The bytes of hits on the log")
struct HitsGoldenTests {
    private static let hit = HitsEvent.with {
        $0.hit = .with {
            ($0.site, $0.path, $0.visitor, $0.method) = ("www", "/", "10.0.0.1", "GET")
            ($0.status, $0.bytes, $0.referrer, $0.userAgent) = (200, 300, "r", "a")
        }
    }

    @Test func `stay as they are, and are known for every kind`() {
        let bytes = "0a230a0377777712012f1a0831302e302e302e31220347455428c80130ac023a0172420161"
        expect([Golden(HitsEvent.self, .hit(Self.hit.hit), bytes)], of: Domain.hits.schemas)
    }
}
