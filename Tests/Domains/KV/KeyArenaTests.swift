import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Synchronization
import Testing

@testable import KVDomain

/// Blocks in memory, some of which can be damaged.
private final class HeldBlocks: BlockStore {
    private let state = Mutex((blocks: [Int: [UInt8]](), damaged: Set<Int>(), next: 0))
    func write(_ block: [UInt8]) throws -> Int {
        state.withLock { state in
            state.next += 1
            state.blocks[state.next] = block
            return state.next
        }
    }
    func read(_ number: Int) throws -> [UInt8] {
        try state.withLock { state in
            guard let block = state.blocks[number], !state.damaged.contains(number) else {
                throw DamagedBlock("block \(number)", "it is damaged on purpose")
            }
            return block
        }
    }
    func drop(_ number: Int) { state.withLock { $0.blocks[number] = nil } }
    var count: Int { state.withLock { $0.blocks.count } }
    func damageAll() { state.withLock { $0.damaged = Set($0.blocks.keys) } }
}

@Suite("The memory of keys")
struct KeyArenaTests {
    private func put(_ copy: inout KeyCopy, _ key: String, _ value: String, _ revision: Int64) throws {
        try copy.apply(
            KVEvent.bytes(
                .valuePut(.with { ($0.key, $0.value, $0.revision) = (key, Data(value.utf8), revision) })))
    }
    private func delete(_ copy: inout KeyCopy, _ key: String, _ revision: Int64) throws {
        try copy.apply(KVEvent.bytes(.keyDeleted(.with { ($0.key, $0.revision) = (key, revision) })))
    }

    @Test(arguments: [UInt64(3), 4, 5, 6])
    func `says what a dictionary says, in memory and over its bound`(seed: UInt64) throws {
        let store = HeldBlocks()
        var copy = seed % 2 == 0 ? KeyCopy() : KeyCopy(store: store, memory: 200_000)
        var (model, random) = ([String: String](), SeededRandom(seed))
        for number in 0..<20_000 {
            let key = "key\(random.number(0...1500))"
            if random.chance(25) {
                try delete(&copy, key, Int64(number + 1))
                model[key] = nil
            } else {
                let value = String(repeating: "\(number)", count: random.number(0...120))
                try put(&copy, key, value, Int64(number + 1))
                model[key] = value
            }
        }
        #expect(copy.count == model.count, "seed \(seed)")
        #expect(copy.bytes == model.values.reduce(0) { $0 + $1.utf8.count }, "seed \(seed)")
        for number in 0...1500 {
            let key = "key\(number)"
            let read = try copy.live(Bytes(key), at: 0)
            #expect(read.map { String(decoding: $0.value, as: UTF8.self) } == model[key], "seed \(seed), \(key)")
        }
        #expect(copy.stored == store.count)
        if seed % 2 == 1 {
            #expect(copy.stored > 0)
            #expect(copy.footprint < 400_000, "seed \(seed)")
        }
        // What is of no use does not pile up.
        if seed % 2 == 0 { #expect(copy.footprint < 3 * copy.bytes + 300_000, "seed \(seed)") }
    }

    @Test func `a value as long as may be has a block of its own`() throws {
        let store = HeldBlocks()
        var copy = KeyCopy(store: store, memory: 100_000)
        let long = String(repeating: "x", count: KVLimits.value)
        for number in 0..<3 { try put(&copy, "long\(number)", long, 1) }
        for number in 0..<3 { #expect(try copy.live(Bytes("long\(number)"), at: 0)?.value.count == KVLimits.value) }
        for number in 0..<3 { try delete(&copy, "long\(number)", 2) }
        #expect(copy.count == 0 && copy.bytes == 0)
    }

    @Test func `a block that is damaged never answers`() throws {
        let store = HeldBlocks()
        var copy = KeyCopy(store: store, memory: 50_000)
        for number in 0..<3000 { try put(&copy, "key\(number)", "value \(number)", 1) }
        #expect(copy.stored > 0)
        store.damageAll()
        var damaged = 0
        for number in 0..<3000 {
            do {
                let read = try copy.live(Bytes("key\(number)"), at: 0)
                #expect(read.map { String(decoding: $0.value, as: UTF8.self) } == "value \(number)")
            } catch is DamagedBlock {
                damaged += 1
            }
        }
        #expect(damaged > 1000 && damaged < 3000)
        #expect(throws: DamagedBlock.self) { try copy.checksums() }
    }

    @Test func `sums are the same whatever the way, and say which ranges differ`() throws {
        var (one, other) = (KeyCopy(), KeyCopy(store: HeldBlocks(), memory: 50_000))
        for number in 0..<2000 { try put(&one, "key\(number)", "v\(number)", 2) }
        for number in (0..<2000).reversed() {
            try put(&other, "key\(number)", "old", 1)
            try put(&other, "key\(number)", "v\(number)", 2)
        }
        #expect(try one.checksums() == other.checksums())
        try put(&other, "key7", "damaged", 2)
        try put(&other, "more", "x", 1)
        try delete(&other, "key8", 3)
        let leaves = try other.checksums().differences(from: one.checksums())
        #expect((1...3).contains(leaves.count))
        #expect(try other.replace(leaves, from: one) == 3)
        #expect(try one.checksums() == other.checksums())
        #expect(try other.live("key7", at: 0)?.value == Array("v7".utf8) && other.live("more", at: 0) == nil)
    }

    /// The key, its value, revision and expiry all count.
    @Test func `no difference is overlooked`() throws {
        func sums(_ event: KVEvent.Kind) throws -> ChecksumTree {
            var copy = KeyCopy()
            try copy.apply(KVEvent.bytes(event))
            return try copy.checksums()
        }
        let all = try [
            sums(wasPut("ab", "c", 1)), sums(wasPut("a", "bc", 1)), sums(wasPut("ab", "d", 1)),
            sums(wasPut("ab", "c", 2)), sums(wasPut("ab", "c", 1, until: after(9))), ChecksumTree(),
        ]
        #expect(Set(all).count == all.count)
    }
}

@Suite("The newest state of each key")
struct NewestStatesTests {
    /// A copy that begins with what the reaction wrote, of any beginning, and folds what comes after it has what the whole
    /// history gives.
    @Test(arguments: [UInt64(1), 2, 3])
    func `and the tail give what the whole history gives`(seed: UInt64) throws {
        var (random, whole, events) = (SeededRandom(seed), KeyCopy(), [Record]())
        var revision: Int64 = 0
        for number in 0..<600 {
            revision += 1
            let key = "{t}\(random.number(0...20))"
            let event: KVEvent.Kind =
                switch random.number(0...9) {
                case 0...4: wasPut(key, "v\(number)", revision)
                case 5: wasPut(key, "v\(number)", revision, until: after(Int64(number)))
                case 6: wasDeleted(key, revision)
                case 7: .keyExpired(.with { ($0.key, $0.revision) = (key, revision) })
                case 8:
                    .expiryChanged(
                        .with { ($0.key, $0.revision, $0.expiresAt) = (key, revision, after(Int64(number)).proto) })
                default:
                    .valuesPut(
                        .with {
                            $0.pairs = ["{t}1", "{t}2"].map { name in
                                .with { ($0.key, $0.value) = (name, Data("many\(number)".utf8)) }
                            }
                            $0.revision = revision
                        })
                }
            if case .valuesPut = event { revision += 1 }
            events.append(
                Record(
                    offset: Offset(Int64(number)), timestamp: noon, key: "t", value: KVEvent.bytes(event)))
            try whole.apply(KVEvent.bytes(event))
        }
        let memory = AnyReaction(remembering: NewestStates(), domain: "kv").memory()
        let states = try events.map { event in
            try memory.react(to: event, from: TopicPartition("kv.events", 0)).flatMap { $0.records(among: 1) }
        }
        for begin in stride(from: 0, through: 600, by: 50) {
            // What is written behind the place that is known may be there already.
            for more in [0, 30] {
                var newest: [Bytes: Bytes] = [:]
                for record in states.prefix(begin + more).joined() { newest[record.key] = record.value }
                var copy = KeyCopy()
                for (key, value) in newest { try copy.restore(key, value) }
                for event in events.dropFirst(begin) { try copy.apply(event.value, telling: false) }
                #expect(try copy.checksums() == whole.checksums(), "from \(begin) and \(more), seed \(seed)")
            }
        }
    }
}
