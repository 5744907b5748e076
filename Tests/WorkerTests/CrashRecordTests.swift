import EventLog
import EventModel
import Projecting
import Quarantining
import Synchronization
import Testing

/// A partition of records of which one is deadly, and workers that come one after another.
private struct Mortals {
    let store: ViewCrashRecords
    let source = TopicPartition("t", 0)
    let end: Offset
    let deadly: Set<Offset>
    let batch: Int
    /// Records of a batch where the end is far ahead.
    var most: Int?
    var committed: Offset = 0
    var parked: [Offset] = []
    var deaths = 0

    struct Death: Error {}

    /// One life: to the partition's end, or to a death.
    mutating func live() async throws {
        var pace = CrashBackoff(of: "w", batch: batch, most: most, store: store, pause: .zero)
        try await pace.begin([source: committed], ends: [source: end])
        var (at, parked) = (committed, parked)
        defer { (committed, self.parked) = (at, parked) }
        while at < end {
            let records = (at.rawValue..<min(end.rawValue, at.rawValue + Int64(most ?? batch))).map {
                Record(offset: Offset($0), timestamp: 0, key: Bytes("k\($0)"), value: "")
            }
            let batch = Batch(source: source, records: records, next: at + records.count)
            try await pace.through([batch]) { piece, failing in
                for record in piece.flatMap(\.records) {
                    if failing[source]?[record.offset] != nil {
                        parked.append(record.offset)
                    } else if deadly.contains(record.offset) {
                        throw Death()
                    }
                }
                at = piece[0].next
            }
        }
        await pace.stop([source])
    }

    mutating func liveOn() async throws {
        while committed < end {
            do { try await live() } catch is Death { deaths += 1 }
            if deaths > 100 { return }
        }
    }
}

@Suite("Workers that die of a record", .timeLimit(.minutes(10)))
struct CrashRecordTests {
    @Test func `with nothing to handle are told of where that is wanted, and count for no record`() {
        var record = CrashRecord()
        record.begin(at: 5, end: 5, batch: 1000)
        #expect(!record.isOpen)
        record.begin(at: 5, end: 5, batch: 1000, notesIdle: true)
        #expect(record.isOpen)
        // It died; the next has records.
        record.begin(at: 5, end: 9, batch: 1000, notesIdle: true)
        #expect(record.isOpen && record.care == .none && record.inHand == nil && record.most(at: 5, of: 1000) == 1000)
        // That one died of them.
        record.begin(at: 5, end: 9, batch: 1000, notesIdle: true)
        #expect(record.isOpen && record.care == .few)
        // One that handles with care is not idle.
        record.begin(at: 5, end: 5, batch: 1000, notesIdle: true)
        #expect(!record.isOpen && record.care == .one && record.inHand == nil)
        var other = CrashRecord()
        other.begin(at: 0, end: 0, batch: 1000, notesIdle: true)
        other.stop(at: 0)
        #expect(other == CrashRecord())
    }

    @Test(arguments: [0, 1, 63, 64, 65, 700, 999, 1999])
    func `give it up after few deaths, wherever it stands`(at place: Int64) async throws {
        var mortals = Mortals(store: ViewCrashRecords(MemoryViews()), end: 2000, deadly: [Offset(place)], batch: 1000)
        try await mortals.liveOn()
        #expect(mortals.parked == [Offset(place)])
        #expect(mortals.deaths == 2 + CrashRecord.maxCrashes, "at once, in few, and one by one until it is given up")
    }

    @Test(arguments: [0, 999, 1000, 5000, 7999, 8000, 19_999])
    func `give it up as well where they had more in hand, far behind`(at place: Int64) async throws {
        var mortals = Mortals(
            store: ViewCrashRecords(MemoryViews()), end: 20_000, deadly: [Offset(place)], batch: 1000, most: 8000)
        try await mortals.liveOn()
        #expect(mortals.parked == [Offset(place)])
        #expect(mortals.deaths == 2 + CrashRecord.maxCrashes)
    }

    @Test func `give up each of several`() async throws {
        var mortals = Mortals(store: ViewCrashRecords(MemoryViews()), end: 3000, deadly: [10, 20, 1500], batch: 1000)
        try await mortals.liveOn()
        #expect(mortals.parked == [10, 20, 1500])
        #expect(mortals.deaths <= 3 * (2 + CrashRecord.maxCrashes))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `give up nothing where they are only killed`(seed: UInt64) async throws {
        var random = SeededRandom(seed)
        var mortals = Mortals(store: ViewCrashRecords(MemoryViews()), end: 5000, deadly: [], batch: 1000)
        // A kill is a record that is deadly for one life.
        while mortals.committed < mortals.end {
            let kill = Offset(Int64.random(in: mortals.committed.rawValue..<5000, using: &random))
            var life = Mortals(
                store: mortals.store, end: mortals.end, deadly: Bool.random(using: &random) ? [kill] : [], batch: 1000,
                committed: mortals.committed)
            do { try await life.live() } catch is Mortals.Death {}
            (mortals.committed, mortals.parked) = (life.committed, mortals.parked + life.parked)
        }
        #expect(mortals.parked.isEmpty, "seed \(seed)")
    }

    @Test func `are careful for no longer than need be`() {
        var tries = CrashRecord()
        tries.begin(at: 0, end: 100, batch: 50)
        #expect(tries.most(at: 0, of: 50) == 50)
        tries.begin(at: 10, end: 100, batch: 50)
        #expect(tries.most(at: 10, of: 50) == 50 && tries.care == .few && tries.until == 60)
        #expect(tries.most(at: 60, of: 50) == 50)
        tries.stop(at: 60)
        #expect(tries == CrashRecord())
        // Nobody dies of what is not there.
        tries.begin(at: 100, end: 100, batch: 50)
        tries.begin(at: 100, end: 101, batch: 50)
        #expect(tries.care == .none && tries.isOpen)
    }
}
