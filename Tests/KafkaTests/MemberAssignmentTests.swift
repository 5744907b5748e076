import EventLog
import EventModel
import Kafka
import Testing

@testable import KafkaLog

/// What a member does about the group's word, without a group.
@Suite struct MemberAssignmentTests {
    private let a = TopicPartition("t", 0)
    private let b = TopicPartition("t", 1)

    private func batch(_ partition: TopicPartition, _ offsets: Range<Int64>) -> Batch {
        Batch(
            source: partition,
            records: offsets.map { Record(offset: Offset($0), timestamp: 1, key: "", value: "") },
            next: Offset(offsets.upperBound))
    }

    @Test func `only what was started is delivered`() throws {
        var holding = MemberAssignment()
        #expect(holding.assign([b, a]) == [a, b])
        #expect(holding.start([a: 5]) == [a: 5])
        #expect(try holding.advance(batch(a, 5..<7)) == batch(a, 5..<7))
        #expect(try holding.advance(batch(b, 0..<2)) == nil)
        #expect(holding.start([a: 0]).isEmpty, "it has been started already")
    }

    @Test func `what is revoked is delivered no more, and is let go once all of it is released`() throws {
        var holding = MemberAssignment()
        _ = holding.assign([a, b])
        _ = holding.start([a: 0, b: 0])
        #expect(holding.revoke([a, b]) == [a, b])
        #expect(try holding.advance(batch(a, 0..<1)) == nil)
        #expect(holding.release([a]) == nil)
        #expect(holding.told == [b])
        #expect(holding.release([b]).map(Set.init) == [a, b])
        #expect(holding.release([b]) == nil, "a second time it does nothing")
        #expect(holding.assign([a]) == [a])
    }

    @Test func `what was never started is let go without being fetched`() {
        var holding = MemberAssignment()
        _ = holding.assign([a])
        _ = holding.revoke([a])
        #expect(holding.release([a]) == [])
    }

    @Test func `what is lost is forgotten, and what the application does about it then has no effect`() {
        var holding = MemberAssignment()
        _ = holding.assign([a, b])
        _ = holding.start([a: 0])
        let lost = holding.lose([a, b])
        #expect(lost.told == [a, b] && lost.fetched == [a])
        #expect(holding.start([a: 0]).isEmpty)
        #expect(holding.release([a, b]) == nil)
    }

    @Test func `an end is told once, and records before the position are damage`() throws {
        var holding = MemberAssignment()
        _ = holding.assign([a])
        _ = holding.start([a: 3])
        #expect(try holding.advance(batch(a, 3..<3)) == nil)
        let marker = Batch(source: a, records: [], next: 4)
        #expect(try holding.advance(marker) == marker)
        #expect(try holding.advance(marker) == nil)
        #expect(throws: LogError.self) { try holding.advance(batch(a, 0..<1)) }
    }
}
