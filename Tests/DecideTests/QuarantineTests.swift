import EventModel
import Testing

@Suite("A quarantine")
struct QuarantineTests {
    private func parked(_ offset: Int64, _ key: Bytes, _ reason: String = "") -> Quarantine.Parked {
        Quarantine.Parked(offset: Offset(offset), key: key, reason: reason, attempts: 1, timestamp: 7)
    }

    @Test func `holds a key from its first waiting record on`() {
        var quarantine = Quarantine()
        quarantine.park(parked(5, "a", "no"))
        quarantine.park(parked(9, "a"))
        quarantine.park(parked(7, "b"))
        #expect(!quarantine.isWaiting("a", before: 4) && !quarantine.isWaiting("a", before: 5))
        #expect(
            quarantine.isWaiting("a", before: 6) && !quarantine.isWaiting("b", before: 6)
                && quarantine.isWaiting("b", before: 8))
        #expect(quarantine.leavesOut(5) && !quarantine.leavesOut(6))
        #expect(quarantine.parked.map(\.offset) == [5, 7, 9] && quarantine.parked(of: "a").map(\.offset) == [5, 9])
        quarantine.unpark(5)
        #expect(
            !quarantine.isWaiting("a", before: 9) && quarantine.isWaiting("a", before: 10) && !quarantine.leavesOut(5))
        quarantine.unpark(9, dropping: true)
        #expect(!quarantine.isWaiting("a", before: 10) && quarantine.leavesOut(9) && quarantine.keys == ["b"])
        quarantine.unpark(7)
        #expect(quarantine.count == 0 && !quarantine.isEmpty, "one is dropped")
    }

    @Test func `records without a key wait alone`() {
        var quarantine = Quarantine()
        quarantine.park(parked(1, ""))
        #expect(!quarantine.isWaiting("", before: 2) && quarantine.leavesOut(1))
    }

    @Test func `is told again by its rows`() {
        let source = TopicPartition("t", 3)
        let odd = Bytes([0, 255, 1])
        var quarantine = Quarantine()
        quarantine.park(parked(5, odd, "zero \0 in it"))
        quarantine.park(parked(6, "ключ"))
        quarantine.unpark(8, dropping: true)
        var rows = quarantine.parked.map { $0.row(in: source) }
        rows.append(Quarantine.Parked.dropped(8, in: source))
        #expect(Quarantine.all(in: rows) == [source: quarantine])
        #expect(quarantine[5]?.reason.contains("\0") == false)
        #expect(!odd.storable.contains("\0") && Bytes(storable: odd.storable) == odd)
    }

    @Test func `keeps no more of a reason than there is room for`() {
        #expect(parked(1, "a", String(repeating: "x", count: 9999)).reason.count == Quarantine.reasonLength)
    }
}
