import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import Quarantining

/// The bytes of what is said of records that wait; made by `protoc --encode` from the same values as text.
enum QuarantineGoldens {
    static let all: [Golden] = [
        (
            QuarantineEvent.OneOf_Kind.recordParked(
                .with {
                    ($0.worker, $0.topic, $0.partition, $0.offset) = ("w", "t", 1, 300)
                    ($0.key, $0.reason, $0.attempts, $0.time) = (Data("k".utf8), "r", 2, 1_700_000_000_000)
                }), "0a1a0a0177120174180120ac022a016b32017238024080d095ffbc31"
        ),
        (
            .recordReleased(
                .with {
                    ($0.worker, $0.topic, $0.partition, $0.offset, $0.dropped) = ("w", "t", 1, 300, true)
                }), "120d0a0177120174180120ac022801"
        ),
        (
            .releaseAsked(
                .with {
                    ($0.id, $0.worker, $0.topic, $0.partition) = ("i", "w", "t", 1)
                    ($0.key, $0.drop, $0.offset) = (Data("k".utf8), -1, -1)
                }), "1a240a01691201771a017420012a016b30ffffffffffffffffff0138ffffffffffffffffff01"
        ),
        (.releaseBegun(.with { $0.id = "i" }), "22030a0169"),
        (
            .releaseEnded(
                .with { ($0.id, $0.released, $0.dropped, $0.left, $0.reason) = ("i", 3, 2, 1, "r") }),
            "2a0c0a01691003180220012a0172"
        ),
        (
            .recordsMissed(
                .with { ($0.worker, $0.topic, $0.partition, $0.from, $0.next) = ("w", "t", 1, 300, 307) }),
            "320e0a0177120174180120ac0228b302"
        ),
    ].map { Golden(QuarantineEvent.self, $0, $1) }
}

@Suite("The bytes of the quarantine on the log")
struct QuarantineBytesTests {
    @Test func `stay as they are, and are known for every kind`() {
        expect(QuarantineGoldens.all, of: [QuarantineLog.schema])
    }
}
