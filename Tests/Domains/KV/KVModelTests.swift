import DomainTesting
import EventModel
import Foundation
import MillraceTestKit
import SwiftProtobuf
import Testing

@testable import KVDomain

/// What keys and values are, said a second time and as simply as can be: a dictionary that forgets by the clock.
private struct Model {
    struct Entry: Equatable {
        var value: [UInt8]
        var revision: Int64
        var expires: Timestamp?
    }
    var entries: [String: Entry] = [:]
    /// By tag.
    var revisions: [String: Int64] = [:]

    mutating func live(_ key: String, _ now: Timestamp) -> Entry? {
        if let entry = entries[key], let expires = entry.expires, expires <= now { return nil }
        return entries[key]
    }
    private mutating func next(_ key: String) -> Int64 {
        let tag = HashTag.of(key)
        revisions[tag, default: 0] += 1
        return revisions[tag] ?? 0
    }
    private mutating func write(_ key: String, _ value: [UInt8], _ expires: Timestamp?, _ now: Timestamp) -> Bool {
        if let expires, expires <= now { return false }
        if let live = live(key, now), live.value == value, live.expires == expires { return true }
        entries[key] = Entry(value: value, revision: next(key), expires: expires)
        return true
    }

    /// Whether it is accepted.
    mutating func take(_ command: KVCommand.Kind, _ now: Timestamp) -> Bool {
        switch command {
        case .put(let c):
            let old = live(c.key, now)
            if c.ifAbsent && old != nil || c.ifPresent && old == nil { return false }
            let expires = c.keepTtl ? old?.expires : c.ttlMs > 0 ? now + .milliseconds(c.ttlMs) : nil
            return write(c.key, Array(c.value), expires, now)
        case .delete(let c):
            let old = live(c.key, now)
            if c.expected != 0, c.expected != old?.revision ?? 0 { return false }
            if old != nil {
                _ = next(c.key)
                entries[c.key] = nil
            }
            return true
        case .compareAndSet(let c):
            if c.expected != live(c.key, now)?.revision ?? 0 { return false }
            return write(c.key, Array(c.value), nil, now)
        case .putMany(let c):
            // As one: where each of them is so already nothing changes, else each has a new revision.
            if c.pairs.allSatisfy({ live($0.key, now).map { $0.expires == nil } ?? false })
                && c.pairs.allSatisfy({ entries[$0.key]?.value == Array($0.value) })
            {
                return true
            }
            for pair in c.pairs {
                entries[pair.key] = Entry(value: Array(pair.value), revision: next(pair.key), expires: nil)
            }
            return true
        case .increment(let c):
            let old = live(c.key, now)
            guard let number = Int64(String(decoding: old?.value ?? Array("0".utf8), as: UTF8.self)) else {
                return false
            }
            return write(c.key, Array(String(number + c.by).utf8), old?.expires, now)
        case .appendBytes(let c):
            let old = live(c.key, now)
            return write(c.key, (old?.value ?? []) + Array(c.value), old?.expires, now)
        case .expire(let c):
            guard let old = live(c.key, now) else { return false }
            let expires = now + .milliseconds(c.ttlMs)
            if old.expires != expires {
                entries[c.key] = Entry(value: old.value, revision: next(c.key), expires: expires)
            }
            return true
        case .persist(let c):
            guard let old = live(c.key, now) else { return false }
            if old.expires != nil { entries[c.key] = Entry(value: old.value, revision: next(c.key), expires: nil) }
            return true
        case .expireKey(let c):
            guard let entry = entries[c.key] else { return true }
            guard let expires = entry.expires, expires <= now else { return false }
            _ = next(c.key)
            entries[c.key] = nil
            return true
        }
    }
}

@Suite("Keys and values, beside a dictionary")
struct KVModelTests {
    @Test(arguments: [1, 20_261_130, 0xcafe] as [UInt64])
    func `any history of commands gives what the dictionary gives, in the state, in the copy and in the view`(
        seed: UInt64
    ) throws {
        print("keys beside a dictionary: seed \(seed)")
        var (model, shelves) = (Model(), [String: Shelf]())
        var (copies, records) = ([KeyCopy()], [Placed]())
        var random = SeededRandom(seed)
        var now = noon
        for number in 0..<3000 {
            now = now + .milliseconds(random.number(0...900))
            var draw = LoadDraw(number, in: KeySpace(), at: now, random)
            let request = KeyValues.request(&draw)
            random = draw.random
            guard case .command(let encoded) = try Domain.kv.encode(request, id: "c\(number)", now: now),
                let command = try KVCommand.kind(in: encoded.value)
            else {
                Issue.record("no command: \(request)")
                return
            }
            let tag = KeyValues.key(of: command)
            let accepted = model.take(command, now)
            let events: [KVEvent.Kind]?
            do throws(KVRefusal) {
                events = try KeyValues.decide(command, id: encoded.id, on: shelves[tag] ?? Shelf(), at: now)
            } catch {
                events = nil
            }
            try #require((events != nil) == accepted, "command \(number) of seed \(seed): \(command)")
            for event in events ?? [] {
                // What is decided may also come as a fact.
                try KeyValues.admit(event, on: shelves[tag] ?? Shelf(), at: now)
                KeyValues.evolve(&shelves[tag, default: Shelf()], with: event, at: now)
                let bytes = KVEvent.bytes(event)
                try copies[0].apply(bytes)
                records.append(
                    (
                        TopicPartition("kv.events", 0),
                        Record(
                            offset: Offset(Int64(records.count)), timestamp: now, key: Bytes(tag), value: bytes)
                    ))
            }
            if number % 100 == 0 { try compare(&model, shelves, copies[0], now, seed) }
        }
        try compare(&model, shelves, copies[0], now, seed)
        let fold = try Fold.everyWay(Domain.kv.projection("kv.keys"), records, seed: seed)
        let shown = try fold.ask(.kv, "kv.scan", now: now).rows
        var live: [String: Model.Entry] = [:]
        for key in model.entries.keys { live[key] = model.live(key, now) }
        #expect(shown.compactMap { $0[0].text } == live.keys.sorted())
        for row in shown {
            let entry = try #require(live[row[0].text ?? ""])
            #expect(
                row[1] == .text(String(decoding: entry.value, as: UTF8.self)) && row[4] == .integer(entry.revision)
                    && row[5] == (entry.expires.map { Value($0) } ?? .null))
        }
    }

    private func compare(
        _ model: inout Model, _ shelves: [String: Shelf], _ copy: KeyCopy, _ now: Timestamp, _ seed: UInt64
    ) throws {
        var live = 0
        for (key, entry) in model.entries {
            let held = shelves[HashTag.of(key)]?.entries[key]
            #expect(held.map { Array($0.value) } == entry.value && held?.revision == entry.revision, "seed \(seed)")
            #expect(held?.expires == entry.expires, "seed \(seed)")
            let expected = model.live(key, now)
            let read = try copy.live(Bytes(key), at: now)
            #expect(read?.value == expected?.value && read?.revision == expected?.revision, "seed \(seed)")
            live += expected == nil ? 0 : 1
        }
        #expect(copy.count == model.entries.count)
        #expect(copy.bytes == model.entries.values.reduce(0) { $0 + $1.value.count })
        #expect(try copy.keys(from: 0, places: .max / 2, at: now).keys.count == live)
    }

    @Test func `a run over a copy in pieces meets each key that is there all the time`() throws {
        var random = SeededRandom(11)
        var copy = KeyCopy()
        func apply(_ event: KVEvent.Kind) throws { try copy.apply(KVEvent.bytes(event)) }
        for number in 0..<500 { try apply(wasPut("stays\(number)", "v", 1)) }
        for _ in 0..<20 {
            var (place, met) = (0, [Bytes]())
            while true {
                let piece = try copy.keys(from: place, places: random.number(1...40), at: noon)
                met += piece.keys
                guard let next = piece.next else { break }
                place = next
                for _ in 0..<30 {
                    let key = "comes\(random.number(1...200))"
                    try apply(random.chance(50) ? wasPut(key, "v", 1) : wasDeleted(key, 2))
                }
            }
            let stay = met.filter { $0.text.hasPrefix("stays") }
            #expect(stay.count == 500 && Set(stay).count == 500)
        }
    }
}

@Suite("The view of keys")
struct KeyTableTests {
    private func fold(_ events: KVEvent.Kind...) throws -> Fold {
        let records = events.enumerated().map { i, event -> Placed in
            (
                TopicPartition("kv.events", 0),
                Record(
                    offset: Offset(Int64(i)), timestamp: after(Int64(i)), key: Bytes(KeyValues.key(of: event)),
                    value: KVEvent.bytes(event))
            )
        }
        return try .everyWay(Domain.kv.projection("kv.keys"), records)
    }

    @Test func `has keys as they are, and the revisions that were`() throws {
        let fold = try fold(
            wasPut("k", "a", 1), wasPut("k", "\u{0}", 2, until: after(60)), wasDeleted("k", 3), wasPut("k", "b", 4),
            wasPut("other", "x", 1))
        #expect(
            try fold.ask(.kv, "kv.get", ["key": "k"]).rows == [["k", "b", "text", 1, 4, .null, Value(after(3))]])
        #expect(try fold.ask(.kv, "kv.get", ["key": "nothing"]).rows == [])
        let changes = try fold.ask(.kv, "kv.history", ["key": "k"]).rows
        #expect(changes.map { $0[2] } == ["put", "deleted", "put", "put"])
        #expect(changes.map { $0[3] } == ["b", .null, "AA==", "a"] && changes[2][4] == "base64")
        #expect(try fold.ask(.kv, "kv.at-version", ["key": "k", "revision": 1]).rows.map { $0[3] } == ["a"])
        #expect(try fold.ask(.kv, "kv.at-version", ["key": "k", "revision": 3]).rows.map { $0[2] } == ["deleted"])
        #expect(try fold.ask(.kv, "kv.at-version", ["key": "k", "revision": 99]).rows.map { $0[3] } == ["b"])
        #expect(try fold.ask(.kv, "kv.at-version", ["key": "k", "revision": 0]).rows == [])
    }
    @Test func `shows no key whose time is over`() throws {
        let fold = try fold(wasPut("k", "a", 1, until: after(60)))
        #expect(try fold.ask(.kv, "kv.get", ["key": "k"], now: after(59)).rows.count == 1)
        #expect(try fold.ask(.kv, "kv.get", ["key": "k"], now: after(60)).rows == [])
        #expect(try fold.ask(.kv, "kv.scan", now: after(60)).rows == [])
    }
    @Test func `keeps so many revisions of a key`() throws {
        var view = Fold(projection: Domain.kv.projection("kv.keys"))
        let records = (1...(KVLimits.history + 5)).map { n -> Placed in
            (
                TopicPartition("kv.events", 0),
                Record(
                    offset: Offset(Int64(n - 1)), timestamp: noon, key: "k",
                    value: KVEvent.bytes(wasPut("k", "\(n)", Int64(n))))
            )
        }
        view = try .everyWay(Domain.kv.projection("kv.keys"), records)
        #expect(try view.rows(KeyTable.history).count == KVLimits.history)
        #expect(try view.ask(.kv, "kv.at-version", ["key": "k", "revision": 5]).rows == [])
        #expect(try view.ask(.kv, "kv.at-version", ["key": "k", "revision": 6]).rows.map { $0[3] } == ["6"])
    }
    @Test func `is gone through by the beginning of keys, in pages`() throws {
        let fold = try fold(
            wasPut("a", "1", 1), wasPut("ab", "2", 1), wasPut("ab!", "3", 1), wasPut("b", "4", 1), wasPut("aé", "5", 1))
        func keys(_ prefix: String) throws -> [String] {
            try fold.ask(.kv, "kv.scan", ["prefix": .text(prefix)]).rows.compactMap { $0[0].text }
        }
        #expect(try keys("a") == ["a", "ab", "ab!", "aé"] && keys("ab") == ["ab", "ab!"] && keys("c") == [])
        var (all, cursor) = ([String](), nil as Row?)
        repeat {
            let page = try fold.ask(.kv, "kv.scan", limit: 2, from: cursor)
            all += page.rows.compactMap { $0[0].text }
            cursor = page.next
        } while cursor != nil
        #expect(all == ["a", "ab", "ab!", "aé", "b"])
    }
}

@Suite("Keys and values, simulated")
struct KVSimulation {
    @Test func `revisions follow and nothing is lost, whatever happens`() throws {
        print("kv: \(try Simulation(Traffic(.kv)).check(schedules: 10, from: 1))")
    }
}
