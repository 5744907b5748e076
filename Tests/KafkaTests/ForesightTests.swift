import EventLog
import EventModel
import Foundation
import Kafka
import Synchronization
import Testing

@testable import KafkaLog

/// Where a transaction's records will go.
@Suite struct ForesightTests {
    private let a = TopicPartition("t", 0)
    private let b = TopicPartition("t", 1)
    private func append(_ place: TopicPartition, _ count: Int) -> Append {
        Append(place, (0..<count).map { NewRecord(key: "", value: Bytes("\($0)"), timestamp: 1) })
    }

    @Test func `is behind the last record and the mark of its transaction`() {
        var foresight = Foresight()
        #expect(foresight.offsets(of: [append(a, 1)]) == nil, "nothing is known yet")
        foresight.saw([append(a, 2), append(b, 0)], [[7, 8], []])
        #expect(foresight.offsets(of: [append(a, 3)]) == [[10, 11, 12]])
        #expect(foresight.offsets(of: [append(a, 1), append(b, 0)]) == [[10], []])
        #expect(foresight.offsets(of: [append(a, 1), append(b, 1)]) == nil, "of b nothing is known")
        #expect(foresight.offsets(of: [append(a, 1), append(a, 1)]) == nil, "which is first is not told")
    }
    @Test func `is learned anew where it was wrong`() {
        var foresight = Foresight()
        foresight.saw([append(a, 1)], [[4]])
        foresight.missed([append(a, 1)], [[9]])
        #expect(foresight.offsets(of: [append(a, 1)]) == nil)
        foresight.saw([append(a, 1)], [[11]])
        #expect(foresight.offsets(of: [append(a, 1)]) == [[13]])
        // This log keeps no marks.
        foresight.missed([append(a, 1)], [[12]])
        foresight.saw([append(a, 1)], [[14]])
        #expect(foresight.offsets(of: [append(a, 2)]) == [[15, 16]])
        // It does after all.
        foresight.missed([append(a, 1)], [[17]])
        foresight.saw([append(a, 1)], [[20]])
        #expect(foresight.offsets(of: [append(a, 1)]) == [[22]])
        foresight.forget([append(a, 1)])
        #expect(foresight.offsets(of: [append(a, 1)]) == nil)
    }

    /// Replies tell where the records are, whoever wrote between them.
    @Test(arguments: Site.all) func `or not, each reply tells where its records are`(_ site: Site) async throws {
        try await site.withLog(2) { log, topic in
            let place = TopicPartition(topic, 0)
            let group = fresh("group")
            let member = try await log.join(group, topics: [topic])
            let wrote = Mutex<[(value: String, told: [Offset])]>([])
            let (delivered, to) = (TopicPartition(topic, 1), place)
            for turn in 0..<12 {
                // Somebody else's records come between, so that what is foreseen is wrong.
                if turn == 5 || turn == 6 { _ = try await log.append([Append(place, records("x", "y"))]) }
                let values = (0...turn % 3).map { "\(turn)-\($0)" }
                let all = values.map { NewRecord(key: "k", value: Bytes($0), timestamp: 1) }
                let transaction = Transaction(appends: [Append(to, all)], consumed: [:]) { offsets in
                    let told = offsets[0].map { "\($0.rawValue)" }.joined(separator: ",")
                    return [Append(delivered, [NewRecord(key: "k", value: Bytes(told), timestamp: 1)])]
                }
                let offsets = try await member.transact(transaction)
                #expect(offsets.count == 2 && offsets[1].count == 1)
                for (value, offset) in zip(values, offsets[0]) { wrote.withLock { $0.append((value, [offset])) } }
                let answer = try #require(try await log.only(delivered, at: offsets[1][0]))
                #expect(answer.value.text == offsets[0].map { "\($0.rawValue)" }.joined(separator: ","))
            }
            for (value, told) in wrote.withLock({ $0 }) {
                let record = try await log.only(place, at: told[0])
                #expect(record?.value.text == value, "at \(told[0])")
            }
            await member.leave()
        }
    }
}

extension KafkaLog {
    /// The record at an offset.
    fileprivate func only(_ place: TopicPartition, at offset: Offset) async throws -> Record? {
        let reader = try await reader(from: [place: offset])
        let record = try await until("the record at \(offset)") {
            try await reader.next(max: 1, wait: .seconds(1)).first?.records.first
        }
        await reader.close()
        return record.offset == offset ? record : nil
    }
}
