import DomainTesting
import EventModel
import Foundation
import MillraceTestKit
import SwiftProtobuf
import Testing

@testable import KVDomain

func put(_ key: String, _ value: String, ttl: Int64 = 0, _ change: (inout KVPut) -> Void = { _ in })
    -> KVCommand.Kind
{
    .put(
        .with {
            ($0.key, $0.value, $0.ttlMs) = (key, Data(value.utf8), ttl)
            change(&$0)
        })
}
func wasPut(_ key: String, _ value: String, _ revision: Int64, until: Timestamp? = nil) -> KVEvent.Kind {
    .valuePut(
        .with {
            ($0.key, $0.value, $0.revision) = (key, Data(value.utf8), revision)
            if let until { $0.expiresAt = until.proto }
        })
}
func wereTogetherPut(_ pairs: [(String, String)], _ revision: Int64) -> KVEvent.Kind {
    .valuesPut(
        .with {
            $0.pairs = pairs.map { pair in .with { ($0.key, $0.value) = (pair.0, Data(pair.1.utf8)) } }
            $0.revision = revision
        })
}
func wasDeleted(_ key: String, _ revision: Int64) -> KVEvent.Kind {
    .keyDeleted(.with { ($0.key, $0.revision) = (key, revision) })
}

@Suite("Keys and values")
struct KeyValuesTests {
    private let store = DeciderSpecification(KeyValues.self, from: noon)
    private func delete(_ key: String, expected: Int64 = 0) -> KVCommand.Kind {
        .delete(.with { ($0.key, $0.expected) = (key, expected) })
    }
    private func compareAndSet(_ key: String, _ expected: Int64, _ value: String) -> KVCommand.Kind {
        .compareAndSet(.with { ($0.key, $0.expected, $0.value) = (key, expected, Data(value.utf8)) })
    }
    private func add(_ key: String, _ by: Int64) -> KVCommand.Kind {
        .increment(.with { ($0.key, $0.by) = (key, by) })
    }
    private func many(_ pairs: (String, String)...) -> KVCommand.Kind {
        .putMany(
            .with {
                $0.pairs = pairs.map { pair in .with { ($0.key, $0.value) = (pair.0, Data(pair.1.utf8)) } }
            })
    }

    @Test func `are put, each change with the next revision, also across a deletion`() throws {
        try store.when(put("k", "a")).then(wasPut("k", "a", 1))
        try store.given(wasPut("k", "a", 1)).when(put("k", "b")).then(wasPut("k", "b", 2))
        try store.given(wasPut("k", "a", 1), wasDeleted("k", 2)).when(put("k", "a")).then(wasPut("k", "a", 3))
        try store.given(wasPut("k", "a", 1)).when(put("k", "a")).then()
        try store.when(put("k", "")).then(wasPut("k", "", 1))
    }
    @Test func `are put on a condition`() throws {
        try store.when(put("k", "a") { $0.ifAbsent = true }).then(wasPut("k", "a", 1))
        try store.given(wasPut("k", "a", 1)).when(put("k", "b") { $0.ifAbsent = true })
            .then(refused: .keyExists(key: "k", revision: 1))
        try store.when(put("k", "a") { $0.ifPresent = true }).then(refused: .unknownKey(key: "k"))
    }
    @Test func `are set where the revision is the expected one`() throws {
        try store.when(compareAndSet("k", 0, "a")).then(wasPut("k", "a", 1))
        try store.given(wasPut("k", "a", 1)).when(compareAndSet("k", 1, "b")).then(wasPut("k", "b", 2))
        try store.given(wasPut("k", "a", 1)).when(compareAndSet("k", 0, "b"))
            .then(refused: .otherRevision(key: "k", expected: 0, revision: 1))
        try store.given(wasPut("k", "a", 1), wasDeleted("k", 2)).when(compareAndSet("k", 1, "b"))
            .then(refused: .otherRevision(key: "k", expected: 1, revision: 0))
    }
    @Test func `are deleted once, where they are as expected`() throws {
        try store.when(delete("k")).then()
        try store.given(wasPut("k", "a", 1)).when(delete("k")).then(wasDeleted("k", 2))
        try store.given(wasPut("k", "a", 1)).when(delete("k", expected: 7))
            .then(refused: .otherRevision(key: "k", expected: 7, revision: 1))
    }
    @Test func `of one tag are put at once, and share their revisions`() throws {
        try store.when(many(("{t}a", "1"), ("{t}b", "2"))).then(wereTogetherPut([("{t}a", "1"), ("{t}b", "2")], 1))
        let given = store.given(wereTogetherPut([("{t}a", "1"), ("{t}b", "2")], 1))
        try given.when(put("{t}b", "3")).then(wasPut("{t}b", "3", 3))
        try given.when(many(("{t}a", "1"), ("{t}b", "2"))).then()
        try given.when(many(("{t}a", "1"), ("{u}b", "2"))).then(malformed: "pairs[1].key")
        try given.when(many(("{t}a", "1"), ("{t}a", "2"))).then(malformed: "pairs[1].key")
        try given.when(.putMany(KVPutMany())).then(malformed: "pairs")
    }
    @Test func `are numbers that are added to`() throws {
        try store.when(add("n", 5)).then(wasPut("n", "5", 1))
        try store.given(wasPut("n", "5", 1)).when(add("n", -7)).then(wasPut("n", "-2", 2))
        try store.given(wasPut("n", "\(Int64.max)", 1)).when(add("n", 1)).then(refused: .overflow(key: "n"))
        for text in ["", "a", "+1", "01", " 1", "1.0", "9223372036854775808", "-0"] {
            try store.given(wasPut("n", text, 1)).when(add("n", 1)).then(refused: .notANumber(key: "n"))
        }
    }
    @Test func `are gone when their time is over, with their timer or without`() throws {
        let until = noon + .milliseconds(1500)
        let given = store.given(wasPut("k", "a", 1, until: until), at: noon)
        try store.when(put("k", "a", ttl: 1500), at: noon).then(wasPut("k", "a", 1, until: until))
        let expire = KVCommand.Kind.expireKey(.with { $0.key = "k" })
        try given.when(expire, at: noon + .milliseconds(1499)).then(refused: .notDue(key: "k", at: until))
        try given.when(expire, at: until).then(.keyExpired(.with { ($0.key, $0.revision) = ("k", 2) }))
        // The timer has not come, and yet the key is gone.
        try given.when(put("k", "b") { $0.ifPresent = true }, at: until).then(refused: .unknownKey(key: "k"))
        try given.when(put("k", "b") { $0.ifAbsent = true }, at: until).then(wasPut("k", "b", 2))
        try given.when(add("k", 1), at: until).then(wasPut("k", "1", 2))
        try given.when(delete("k"), at: until).then()
    }
    @Test func `have another expiry, and keep it or lose it`() throws {
        let until = noon + .seconds(10)
        let given = store.given(wasPut("k", "a", 1, until: until), at: noon)
        try given.when(put("k", "b"), at: noon).then(wasPut("k", "b", 2))
        try given.when(put("k", "b") { $0.keepTtl = true }, at: noon).then(wasPut("k", "b", 2, until: until))
        try given.when(.persist(.with { $0.key = "k" }), at: noon)
            .then(.expiryChanged(.with { ($0.key, $0.revision) = ("k", 2) }))
        try given.when(.expire(.with { ($0.key, $0.ttlMs) = ("k", 10_000) }), at: noon).then()
        try given.when(.expire(.with { ($0.key, $0.expiresAt) = ("k", noon.proto) }), at: noon)
            .then(refused: .expiryOver(at: noon))
        let farthest = noon + .milliseconds(KVLimits.ttl.upperBound)
        let beyond = farthest + .milliseconds(1)
        for (at, isFar) in [(farthest, false), (beyond, true)] {
            let written = given.when(put("k", "b") { $0.expiresAt = at.proto }, at: noon)
            let kept = given.when(.expire(.with { ($0.key, $0.expiresAt) = ("k", at.proto) }), at: noon)
            if isFar {
                try written.then(refused: .expiryTooFar(at: at))
                try kept.then(refused: .expiryTooFar(at: at))
            } else {
                try written.then(wasPut("k", "b", 2, until: at))
            }
        }
        try store.when(.persist(.with { $0.key = "k" })).then(refused: .unknownKey(key: "k"))
        // What is added to stays as long as it was to.
        try store.given(wasPut("n", "1", 1, until: until), at: noon).when(add("n", 1), at: noon)
            .then(wasPut("n", "2", 2, until: until))
    }
    @Test func `grow by what is appended, up to the limit`() throws {
        func append(_ bytes: Int) -> KVCommand.Kind {
            .appendBytes(.with { ($0.key, $0.value) = ("k", Data(count: bytes)) })
        }
        try store.given(wasPut("k", "a", 1)).when(.appendBytes(.with { ($0.key, $0.text) = ("k", "b") }))
            .then(wasPut("k", "ab", 2))
        let full = String(repeating: "x", count: KVLimits.value)
        try store.given(wasPut("k", full, 1)).when(append(1))
            .then(refused: .valueTooLong(key: "k", bytes: KVLimits.value + 1))
    }

    @Test func `have limits`() throws {
        func wrong(_ command: KVCommand.Kind) -> String? {
            do {
                try KeyValues.check(command)
                return nil
            } catch { return error.field }
        }
        let limit = String(repeating: "v", count: KVLimits.value)
        #expect(wrong(put("k", limit)) == nil && wrong(put("k", limit + "v")) == "value")
        let key = String(repeating: "k", count: KVLimits.key)
        #expect(wrong(put(key, "a")) == nil && wrong(put(key + "k", "a")) == "key")
        #expect(wrong(put("", "a")) == "key" && wrong(put("a\nb", "a")) == "key" && wrong(put("a:b c#d", "a")) == nil)
        #expect(wrong(put("e\u{301}", "a")) == "key" && wrong(put("é", "a")) == nil)
        #expect(wrong(put("k", "a", ttl: -1)) == "ttlMs" && wrong(put("k", "a", ttl: .max)) == "ttlMs")
        #expect(wrong(put("k", "a", ttl: KVLimits.ttl.upperBound)) == nil)
        #expect(wrong(put("k", "a") { $0.text = "b" }) == "text")
        #expect(wrong(put("k", "a", ttl: 1) { $0.keepTtl = true }) == "keepTtl")
        #expect(wrong(put("k", "a") { ($0.ifAbsent, $0.ifPresent) = (true, true) }) == "ifPresent")
        // The largest value fits into a record, with the longest key, as the command and as its event.
        let largest = put(key, limit)
        #expect(KVCommand.bytes(largest).count <= Limits.valueBytes)
        let events = try KeyValues.decide(largest, id: "c", on: Shelf(), at: noon)
        #expect(KVEvent.bytes(events[0]).count <= Limits.valueBytes)
        // So do the most keys that are put at once.
        let pairs = (0..<KVLimits.pairs).map { n in
            KVPair.with {
                ($0.key, $0.value) = ("{t}\(n)", Data(count: KVLimits.many / KVLimits.pairs - 8 - KVLimits.pair))
            }
        }
        let most = KVCommand.Kind.putMany(.with { $0.pairs = pairs })
        #expect(wrong(most) == nil && KVCommand.bytes(most).count <= Limits.valueBytes)
        let over = pairs + [.with { $0.key = "{t}x" }]
        #expect(wrong(.putMany(.with { $0.pairs = over })) == "pairs")
        // And the largest value with the longest key, put as one of many.
        let alone = KVCommand.Kind.putMany(
            .with { $0.pairs = [.with { ($0.key, $0.value) = (key, Data(limit.utf8)) }] })
        #expect(wrong(alone) == nil && KVCommand.bytes(alone).count <= Limits.valueBytes)
        let longer = KVPair.with { ($0.key, $0.value) = ("k", Data((limit + "v").utf8)) }
        #expect(wrong(.putMany(.with { $0.pairs = [longer] })) == "pairs[0].value")
        let wide = (0..<2).map { n in KVPair.with { ($0.key, $0.value) = ("{t}\(n)", Data(count: KVLimits.many / 2)) } }
        #expect(wrong(.putMany(.with { $0.pairs = wide })) == "pairs")
    }
    @Test func `of one tag are so many, and have so many bytes`() throws {
        var shelf = Shelf()
        let big = Data(count: KVLimits.value)
        for number in 0..<(KVLimits.bytesOfTag / KVLimits.value) {
            shelf.set("{t}\(number)", Shelf.Entry(value: big, revision: Int64(number + 1)))
        }
        #expect(throws: KVRefusal.tagFull(tag: "t")) {
            try KeyValues.decide(
                put("{t}x", String(repeating: "v", count: KVLimits.value)), id: "c", on: shelf, at: noon)
        }
        // Another value in place of one that is there still fits.
        #expect(try KeyValues.decide(put("{t}0", "small"), id: "c", on: shelf, at: noon).count == 1)
        shelf = Shelf()
        for number in 0..<KVLimits.keysOfTag {
            shelf.set("{t}\(number)", Shelf.Entry(value: Data(), revision: Int64(number + 1)))
        }
        #expect(throws: KVRefusal.tagFull(tag: "t")) {
            try KeyValues.decide(put("{t}x", ""), id: "c", on: shelf, at: noon)
        }
    }
    @Test func `take a fact only where a command would have made it`() throws {
        func refusal(_ event: KVEvent.Kind, _ shelf: Shelf = Shelf()) -> KVRefusal? {
            do {
                try KeyValues.admit(event, on: shelf, at: noon)
                return nil
            } catch { return error }
        }
        var shelf = Shelf()
        shelf.set("k", Shelf.Entry(value: Data("a".utf8), revision: 4, expires: after(5)))
        #expect(refusal(wasPut("k", "a", 1)) == nil && refusal(wasPut("k", "b", 5), shelf) == nil)
        #expect(refusal(wasPut("k", "b", 6), shelf) == .notWhatFollows(key: "k"))
        let beyond = noon + .milliseconds(KVLimits.ttl.upperBound + 1)
        #expect(refusal(wasPut("k", "b", 5, until: beyond), shelf) == .expiryTooFar(at: beyond))
        #expect(refusal(wasPut("k", "a", 5, until: after(5)), shelf) == .notWhatFollows(key: "k"))
        #expect(refusal(wasDeleted("k", 5), shelf) == nil)
        #expect(refusal(wasDeleted("k", 1)) == .notWhatFollows(key: "k"))
        #expect(
            refusal(.keyExpired(.with { ($0.key, $0.revision) = ("k", 5) }), shelf) == .notDue(key: "k", at: after(5)))
        #expect(refusal(.expiryChanged(.with { ($0.key, $0.revision) = ("k", 5) }), shelf) == nil)
        #expect(refusal(wereTogetherPut([("{k}a", "1"), ("{k}b", "2")], 5), shelf) == nil)
        #expect(refusal(wereTogetherPut([("{k}a", "1"), ("{k}b", "2")], 7), shelf) == .notWhatFollows(key: "{k}a"))
    }
    @Test func `survive a checkpoint as they are`() throws {
        var shelf = Shelf()
        for event in [wasPut("{t}a", "\u{0}x", 1, until: after(3)), wasPut("{t}b", "é", 2), wasDeleted("{t}b", 3)] {
            KeyValues.evolve(&shelf, with: event, at: noon)
        }
        let read = try JSONDecoder().decode(Shelf.self, from: JSONEncoder().encode(shelf))
        #expect(read == shelf && read.revision == 3 && read.bytes == 2)
    }
}
