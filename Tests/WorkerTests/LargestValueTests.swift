import EventLog
import EventModel
import Foundation
import Handling
import PostgresServer
import Projecting
import ServiceLifecycle
import SwiftProtobuf
import TestSupport
import Testing

@testable import KVDomain

/// The largest value that a domain takes goes through every log and every store of views, with checkpoints on its way.
@Suite("A value of 1 MiB", .timeLimit(.minutes(10)))
struct LargestValueTests {
    static let carriers = [Carrier.memory, .local, .mock] + (PostgresServer.isHere ? [.postgres] : [])

    @Test(arguments: carriers)
    func `goes as a command, an event, a state and a row`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let (domain, clock) = (Domain.kv, site.clock)
            var handler = Handler(domain, log: site.log, clock: { clock.now }, logger: site.journal.logger("handler"))!
            if let keeping = site.keeping {
                (handler.checkpoints, handler.checkpointing) = (ViewCheckpoints(site.views), keeping)
            }
            handler.quarantine = site.quarantine
            // Bytes of all kinds, so that the view has them in base64; and a text.
            let values = [
                ("bytes", Data((0..<KVLimits.value).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) })),
                ("text", Data((0..<KVLimits.value).map { 0x21 + UInt8($0 % 90) })),
            ]
            try await running(handler, site.reactor(of: domain.reactions[0]), site.projector(of: domain.projections[0]))
            {
                for (key, value) in values {
                    let write = KeyWrite.put(key: Bytes(key), value: Bytes(Array(value)), .never, .always)
                    let outcomes = try await CommandClient.with(site.log, domains: [domain], clock: { clock.now }) {
                        try await $0.send([write.command(id: "c-\(key)")], to: domain, within: .seconds(300))
                    }
                    #expect(outcomes[0].accepted, "\(outcomes[0].message)")
                }
                try await site.read("kv.state", values.count)
                for (key, value) in values {
                    let event = try await record(of: key, in: "kv.events", site.log)
                    guard case .valuePut(let put) = try KVEvent.kind(in: event) else {
                        Issue.record("no event")
                        continue
                    }
                    #expect(put.value == value)
                    var copy = KeyCopy()
                    try copy.restore(Bytes(key), try await record(of: key, in: "kv.state", site.log))
                    #expect(try copy.live(Bytes(key), at: 0)?.value == Array(value))
                    let shown = ShownValue(value)
                    try await eventually("the view to have \(key)") {
                        try await site.views.read(domain.projections[0]) { reader, _ in
                            try reader.rows(KeyTable.keys, keys: [[.text(key)]]).first.map {
                                $0[KeyTable.Key.value] == shown.text
                                    && $0[KeyTable.Key.bytes] == Int64(KVLimits.value)
                            }
                        }
                    }
                }
            }
        }
    }

    /// The value of a key's last record.
    private func record(of key: String, in topic: String, _ log: any EventLog) async throws -> Bytes {
        let count = try await log.partitionCounts()[topic] ?? 1
        let partition = TopicPartition(topic, Partitioner.partition(of: Bytes(key), among: count))
        var found = Bytes()
        let range = try #require(try await log.bounds(of: [partition])[partition])
        try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
            for record in batch.records where record.key == Bytes(key) { found = record.value }
        }
        return found
    }
}
