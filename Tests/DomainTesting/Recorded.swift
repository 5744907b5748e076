package import EventModel
internal import Foundation
internal import Testing

/// Facts at random held against what a decider makes: those that it made, those that it once made, and either of them with
/// some field another than it was.
package struct Recorded<D: Decider> {
    private let domain: Domain
    private let seed: UInt64
    private let draw: (inout SeededRandom, Int) -> D.Command.Kind
    private let maker: (D.Event.Kind, D.State) -> D.Command.Kind

    /// - Parameter maker: The one command that could make a fact in a state.
    package init(
        domain: Domain, seed: UInt64, draw: @escaping (inout SeededRandom, Int) -> D.Command.Kind,
        maker: @escaping (D.Event.Kind, D.State) -> D.Command.Kind
    ) {
        (self.domain, self.seed, self.draw, self.maker) = (domain, seed, draw, maker)
    }

    package func run(steps: Int = 1200) throws {
        let schema = try #require(domain.decider).events
        var (random, other) = (SeededRandom(seed), Alteration(seed: seed &+ 1))
        var (states, now): ([String: D.State], Timestamp) = ([:], noon)
        var past: [Bytes] = []
        var (admitted, refused) = (0, 0)

        func judge(_ bytes: Bytes) throws {
            guard let fact = try D.Event.kind(in: bytes), (try? D.check(fact)) != nil else { return }
            let state = states[D.key(of: fact)] ?? D.initial
            let command = maker(fact, state)
            let made = (try? D.check(command)).flatMap { try? D.decide(command, id: "x", on: state, at: now) }
            var no: String?
            do {
                try D.admit(fact, on: state, at: now)
                admitted += 1
            } catch {
                no = "\(error)"
                refused += 1
            }
            let json = try schema.decode(bytes)
            #expect((no == nil) == (made == [fact]), "\(json), \(no ?? "admitted"), seed \(seed)")
        }

        for step in 0..<steps {
            now = now + .milliseconds(Int64.random(in: 0...90_000, using: &random))
            for _ in 0..<2 {
                guard let old = past.randomElement(using: &random) else { break }
                try judge(Bool.random(using: &random) ? old : other.alter(old, schema) ?? old)
            }
            let command = draw(&random, step)
            try D.check(command)
            let key = D.key(of: command)
            guard let made = try? D.decide(command, id: "c\(step)", on: states[key] ?? D.initial, at: now) else {
                continue
            }
            for fact in made {
                let bytes = D.Event.bytes(fact)
                try judge(bytes)
                for _ in 0..<4 { if let altered = other.alter(bytes, schema) { try judge(altered) } }
                D.evolve(&states[key, default: D.initial], with: fact, at: now)
                past.append(bytes)
            }
        }
        let counts = "\(past.count) facts, \(admitted) admitted, \(refused) refused"
        #expect(past.count > 200 && admitted > past.count && refused > 1000, "\(counts), seed \(seed)")
    }
}

/// Changes one field of a fact to what another fact has, to something near it, or to nothing.
private struct Alteration {
    private var random: SeededRandom
    private var words: [String] = []

    init(seed: UInt64) { random = SeededRandom(seed) }

    /// Nil where the change leaves no message of the schema.
    mutating func alter(_ fact: Bytes, _ schema: Schema) -> Bytes? {
        guard let (name, json) = try? schema.decode(fact), let kind = schema.kind(named: name),
            let object = try? JSONSerialization.jsonObject(with: Data(json.utf8))
        else { return nil }
        learn(object)
        guard let data = try? JSONSerialization.data(withJSONObject: change(object)) else { return nil }
        return try? schema.encode(kind, json: Bytes([UInt8](data)))
    }

    private mutating func learn(_ value: Any) {
        switch value {
        case let object as [String: Any]: for value in object.values { learn(value) }
        case let list as [Any]: for value in list { learn(value) }
        case let text as String: if words.count < 500, !words.contains(text) { words.append(text) }
        default: break
        }
    }

    private mutating func change(_ value: Any) -> Any {
        switch value {
        case var object as [String: Any]:
            guard let key = object.keys.sorted().randomElement(using: &random), let inner = object[key] else {
                return value
            }
            let isGone = Int.random(in: 0..<8, using: &random) == 0
            object[key] = isGone ? nil : .some(change(inner))
            return object
        case var list as [Any]:
            let i = Int.random(in: 0..<max(1, list.count), using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: list.reverse()
            case 1: if !list.isEmpty { list.remove(at: i) }
            case 2: if !list.isEmpty { list.append(list[i]) }
            default: if !list.isEmpty { list[i] = change(list[i]) }
            }
            return list
        case let text as String: return change(text)
        case let number as NSNumber: return number.int64Value + [-1, 1, 100][Int.random(in: 0..<3, using: &random)]
        default: return value
        }
    }

    private mutating func change(_ text: String) -> String {
        if let time = Timestamp(rfc3339: text) {
            let later = time + .milliseconds([-300_000, -1, 1, 1000, 60_000][Int.random(in: 0..<5, using: &random)])
            return Int.random(in: 0..<4, using: &random) == 0
                ? "\(time.rfc3339.prefix(19)).000000001Z" : later.rfc3339
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return text + "x"
        case 1: return text.uppercased()
        default: return words.randomElement(using: &random) ?? text
        }
    }
}
