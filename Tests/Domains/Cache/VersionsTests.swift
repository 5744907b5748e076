import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import CacheDomain

private func set(_ version: Int64, _ key: String = "k", by node: String = "n1") -> CacheCommand.Kind {
    .setEntry(.with { ($0.key, $0.revision, $0.node) = (key, version, node) })
}
private func invalidate(_ version: Int64, _ key: String = "k") -> CacheCommand.Kind {
    .invalidateKey(.with { ($0.key, $0.revision, $0.why) = (key, version, "edited") })
}
func loaded(_ version: Int64, _ key: String = "k", by node: String = "n1") -> CacheEvent.Kind {
    .entryLoaded(.with { ($0.key, $0.revision, $0.node) = (key, version, node) })
}
func invalidated(_ version: Int64, _ key: String = "k") -> CacheEvent.Kind {
    .keyInvalidated(.with { ($0.key, $0.revision, $0.why) = (key, version, "edited") })
}
private func write(_ value: String, _ key: String = "k", by node: String = "n1") -> CacheCommand.Kind {
    .writeEntry(.with { ($0.key, $0.node, $0.value) = (key, node, value) })
}
func written(_ value: String, _ version: Int64, _ key: String = "k") -> CacheEvent.Kind {
    .entryWritten(.with { ($0.key, $0.revision, $0.node, $0.value) = (key, version, "n1", value) })
}

@Suite("The versions of a key")
struct VersionsTests {
    private func given(_ events: CacheEvent.Kind...) -> Versions.State {
        events.reduce(into: Versions.initial) { Versions.evolve(&$0, with: $1, at: noon) }
    }
    private func when(_ command: CacheCommand.Kind, _ state: Versions.State) -> Result<
        [CacheEvent.Kind], Versions.Rejection
    > {
        Result { () throws(Versions.Rejection) in try Versions.decide(command, id: "c1", on: state, at: noon) }
    }

    @Test func `a value that is composed otherwise is another value`() {
        let state = given(written("caf\u{e9}", 1))
        #expect(when(write("caf\u{e9}"), state) == .success([]))
        guard case .success(let events) = when(write("cafe\u{301}"), state), case .entryWritten(let e)? = events.first
        else {
            Issue.record("it is not written")
            return
        }
        #expect(e.revision == 2 && Bytes(e.value) == Bytes("cafe\u{301}"))
    }

    @Test func `grow with what is loaded`() {
        #expect(when(set(3), given()) == .success([loaded(3)]))
        #expect(when(set(4), given(loaded(3))) == .success([loaded(4)]))
    }
    @Test func `are not loaded twice, whoever brings them`() {
        #expect(when(set(3), given(loaded(3))) == .success([]))
        #expect(when(set(3, by: "n2"), given(loaded(3))) == .success([]))
    }
    @Test func `refuse a fill that is older than what is cached, or was invalidated`() {
        #expect(when(set(2), given(loaded(3))) == .failure(.staleFill(key: "k", version: 2, least: 3)))
        #expect(when(set(6), given(loaded(3), invalidated(7))) == .failure(.staleFill(key: "k", version: 6, least: 7)))
        #expect(when(set(7), given(loaded(3), invalidated(7))) == .success([loaded(7)]))
    }
    @Test func `refuse an invalidation that is older than what is cached`() {
        #expect(when(invalidate(2), given(loaded(3))) == .failure(.newerIsCached(key: "k", version: 2, cached: 3)))
        // Other nodes may still have older ones of what one has newly.
        #expect(when(invalidate(3), given(loaded(3))) == .success([invalidated(3)]))
    }
    @Test func `are invalidated once`() {
        #expect(when(invalidate(5), given(invalidated(5))) == .success([]))
        #expect(when(invalidate(4), given(invalidated(5))) == .success([]))
        #expect(when(invalidate(6), given(invalidated(5))) == .success([invalidated(6)]))
    }
    @Test func `are next to all that is known when a value is written through a cache`() {
        #expect(when(write("a"), given()) == .success([written("a", 1)]))
        #expect(when(write("a"), given(loaded(3), invalidated(7))) == .success([written("a", 8)]))
        #expect(when(write("b"), given(written("a", 8))) == .success([written("b", 9)]))
        // It is written already, unless something newer came from elsewhere.
        #expect(when(write("a"), given(written("a", 8))) == .success([]))
        #expect(when(write("a"), given(written("a", 8), loaded(9))) == .success([written("a", 10)]))
        // No fill of what was before gets in.
        #expect(when(set(7), given(written("a", 8))) == .failure(.staleFill(key: "k", version: 7, least: 8)))
        #expect(
            when(write("a"), given(loaded(.max))) == .failure(.staleWrite(key: "k", version: .max, next: .max)))
    }
    @Test func `doing any command twice does nothing the second time`() throws {
        for command in [set(5), invalidate(5), invalidate(9), write("a"), write("")] {
            for state in [given(), given(loaded(4)), given(invalidated(4)), given(loaded(2), invalidated(5))] {
                guard case .success(let events) = when(command, state) else { continue }
                let after = events.reduce(into: state) { Versions.evolve(&$0, with: $1, at: noon) }
                #expect(when(command, after) == .success([]))
            }
        }
    }
    @Test func `take a fact only where a command would have made it`() {
        func admit(_ event: CacheEvent.Kind, _ state: Versions.State) -> Versions.Rejection? {
            do {
                try Versions.admit(event, on: state, at: noon)
                return nil
            } catch { return error }
        }
        #expect(admit(loaded(3), given()) == nil && admit(invalidated(3), given()) == nil)
        #expect(admit(loaded(3), given(loaded(3))) == .alreadySo(key: "k", version: 3))
        #expect(admit(invalidated(3), given(invalidated(4))) == .alreadySo(key: "k", version: 3))
        #expect(admit(written("a", 1), given()) == nil && admit(written("b", 4), given(loaded(3))) == nil)
        #expect(admit(written("a", 3), given(loaded(3))) == .staleWrite(key: "k", version: 3, next: 4))
        #expect(admit(loaded(2), given(invalidated(3))) == .staleFill(key: "k", version: 2, least: 3))
        #expect(admit(invalidated(2), given(loaded(3))) == .newerIsCached(key: "k", version: 2, cached: 3))
    }
    @Test func `in any order of commands no event is older than those before`() {
        var random = SeededRandom(7)
        for _ in 0..<200 {
            var state = Versions.initial
            for _ in 0..<40 {
                let version = Int64(random.number(1...20))
                let command = random.chance(50) ? set(version) : invalidate(version)
                guard case .success(let events) = when(command, state) else { continue }
                for event in events {
                    if case .entryLoaded = event { #expect(version > state.cached && version >= state.invalidated) }
                    if case .keyInvalidated = event { #expect(version > state.invalidated && version >= state.cached) }
                    Versions.evolve(&state, with: event, at: noon)
                }
            }
        }
    }
    @Test func `are checked before anything is written`() {
        func wrong(_ command: CacheCommand.Kind) -> String? {
            do {
                try Versions.check(command)
                return nil
            } catch { return error.field }
        }
        #expect(wrong(set(1)) == nil && wrong(set(.max)) == nil && wrong(invalidate(1)) == nil)
        #expect(wrong(set(0)) == "revision" && wrong(invalidate(-1)) == "revision")
        #expect(wrong(set(1, "")) == "key" && wrong(set(1, "a\nb")) == "key")
        #expect(wrong(set(1, String(repeating: "k", count: 513))) == "key")
        #expect(wrong(write("")) == nil && wrong(write("a\nb")) == "value")
        #expect(wrong(write(String(repeating: "v", count: 65_537))) == "value" && wrong(write("a", by: "")) == "node")
        #expect(wrong(set(1, by: "")) == "node" && wrong(set(1, by: "a b")) == "node")
    }
}

@Suite("What nodes tell of their caches")
struct AccessesTests {
    private static let accessed = CacheCacheAccessed.with {
        ($0.node, $0.policy, $0.key, $0.hit, $0.sample) = ("n1", "lru", "k", true, 10)
    }
    private static let evicted = CacheEntryEvicted.with {
        ($0.node, $0.policy, $0.key, $0.why) = ("n1", "lru", "k", "evicted")
    }
    private func wrong(_ event: CacheAccess.Kind) -> Malformed? {
        do {
            try Accesses.check(event)
            return nil
        } catch { return error }
    }

    @Test func `names a node, a policy and a key`() {
        #expect(wrong(.cacheAccessed(Self.accessed)) == nil && wrong(.entryEvicted(Self.evicted)) == nil)
        for path in [\CacheCacheAccessed.node, \.policy, \.key] {
            var access = Self.accessed
            access[keyPath: path] = ""
            #expect(wrong(.cacheAccessed(access))?.why == "is missing")
        }
    }
    @Test func `stands for so many, and goes for a reason that is known`() {
        var (access, eviction) = (Self.accessed, Self.evicted)
        for (sample, isGood) in [(0, true), (1_000_000, true), (-1, false), (1_000_001, false)] as [(Int64, Bool)] {
            access.sample = sample
            #expect((wrong(.cacheAccessed(access)) == nil) == isGood)
        }
        for (why, isGood) in [("expired", true), ("", false), ("tired", false)] {
            eviction.why = why
            #expect((wrong(.entryEvicted(eviction)) == nil) == isGood)
        }
        eviction.why = "foo"
        #expect(
            wrong(.entryEvicted(eviction))
                == Malformed("why", "must be one of evicted, expired, invalidated, replaced, not foo"))
    }
    @Test func `is keyed by its node`() {
        #expect(Accesses.key(of: .cacheAccessed(Self.accessed)) == "n1")
        #expect(Accesses.key(of: .entryEvicted(Self.evicted)) == "n1")
    }
}
