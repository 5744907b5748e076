import EventModel
import Testing

private func op(
    _ client: Int, _ kind: Operation.Kind, _ answer: Operation.Answer, _ began: Int64, _ ended: Int64 = .max
) -> Operation { Operation(client: client, kind: kind, answer: answer, began: began, ended: ended) }

/// The checker is checked first: what cannot have happened must not pass.
@Suite("The checker of linearizability")
struct LinearizabilityTests {
    @Test func `takes what can have happened`() {
        #expect(Linearizability.check([]) == .yes)
        #expect(
            Linearizability.check([
                op(1, .set(1), .ok, 0, 10), op(2, .get, .value(nil), 1, 3), op(2, .get, .value(1), 4, 6),
                op(2, .getRevision, .valueAt(1, revision: 1), 11, 12),
            ]) == .yes)
        // A change whose answer was lost may have been done late, or never.
        let lost = op(1, .set(1), .unknown, 0)
        #expect(Linearizability.check([lost, op(2, .get, .value(nil), 5, 6), op(2, .get, .value(1), 7, 8)]) == .yes)
        #expect(Linearizability.check([lost, op(2, .get, .value(nil), 50, 60)]) == .yes)
        #expect(
            Linearizability.check([
                op(1, .compareAndSet(expected: 0, 5), .swapped(1), 0, 5),
                op(2, .compareAndSet(expected: 0, 6), .swapped(nil), 0, 5), op(1, .delete, .count(1), 6, 7),
                op(1, .increment, .value(1), 8, 9), op(2, .getRevision, .valueAt(1, revision: 3), 8, 11),
            ]) == .yes)
    }
    @Test func `refuses a stale read`() {
        #expect(Linearizability.check([op(1, .set(1), .ok, 0, 10), op(2, .get, .value(nil), 11, 12)]) == .no)
    }
    @Test func `refuses a read that goes back`() {
        #expect(
            Linearizability.check([
                op(1, .set(1), .ok, 0, 10), op(2, .get, .value(1), 2, 3), op(3, .get, .value(nil), 4, 5),
            ]) == .no)
    }
    @Test func `refuses a lost change, and one that was done twice`() {
        #expect(
            Linearizability.check([
                op(1, .increment, .value(1), 0, 1), op(2, .increment, .value(1), 0, 1),
            ]) == .no)
        #expect(
            Linearizability.check([op(1, .increment, .value(1), 0, 1), op(2, .get, .value(2), 2, 3)]) == .no)
        let lost = op(1, .increment, .unknown, 0)
        #expect(Linearizability.check([lost, op(2, .get, .value(1), 2, 3), op(2, .get, .value(2), 4, 5)]) == .no)
    }
    @Test func `refuses two who both set what only one could`() {
        #expect(
            Linearizability.check([
                op(1, .compareAndSet(expected: 0, 5), .swapped(1), 0, 5),
                op(2, .compareAndSet(expected: 0, 6), .swapped(1), 0, 5),
            ]) == .no)
    }
    @Test func `refuses a change that is seen and is gone, and a revision that is given again`() {
        #expect(
            Linearizability.check([
                op(1, .set(1), .unknown, 0), op(2, .get, .value(1), 2, 3), op(2, .get, .value(nil), 4, 5),
            ]) == .no)
        #expect(
            Linearizability.check([
                op(1, .set(1), .ok, 0, 1), op(1, .delete, .count(1), 2, 3), op(1, .set(2), .ok, 4, 5),
                op(1, .getRevision, .valueAt(2, revision: 1), 6, 7),
            ]) == .no)
    }

    /// A history of one register that was used by many at once, each operation done at some moment within its time.
    private func history(_ random: inout SeededRandom, _ count: Int) -> [Operation] {
        var (state, now, operations) = (Register(), Int64(0), [Operation]())
        for n in 0..<count {
            now += Int64(random.number(1...10))
            let kind: Operation.Kind =
                switch random.number(0...5) {
                case 0: .set(n)
                case 1: .delete
                case 2: .increment
                case 3:
                    .compareAndSet(expected: state.value == nil ? 0 : state.revision - Int64(random.number(0...1)), n)
                case 4: .getRevision
                default: .get
                }
            var operation = op(
                n % 8, kind, .unknown, now - Int64(random.number(0...60)), now + Int64(random.number(0...60)))
            guard let after = state.after(operation) else { continue }
            operation.answer = answer(kind, state, after)
            state = after
            if random.chance(3) { (operation.answer, operation.ended) = (.unknown, .max) }
            operations.append(operation)
        }
        return operations
    }
    private func answer(_ kind: Operation.Kind, _ old: Register, _ new: Register) -> Operation.Answer {
        switch kind {
        case .get: .value(old.value)
        case .getRevision: .valueAt(old.value, revision: old.value == nil ? 0 : old.revision)
        case .set: .ok
        case .delete: .count(old.value == nil ? 0 : 1)
        case .increment: .value(new.value)
        case .compareAndSet(let expected, _):
            .swapped(expected == (old.value == nil ? 0 : old.revision) ? new.revision : nil)
        }
    }

    @Test func `takes any history that was made in an order, and finds one wrong answer in it`() {
        var (wrong, random) = (0, SeededRandom(20_261_130))
        for round in 0..<100 {
            var operations = history(&random, 40)
            operations.shuffle(using: &random)
            #expect(Linearizability.check(operations) == .yes, "round \(round)")
            // A revision that was never made cannot be explained away.
            let reads = operations.indices.filter { n in
                if case .valueAt(.some, _) = operations[n].answer { true } else { false }
            }
            guard let n = reads.first, case .valueAt(let value, let revision) = operations[n].answer else { continue }
            operations[n].answer = .valueAt(value, revision: revision + 1_000)
            #expect(Linearizability.check(operations) == .no, "round \(round)")
            wrong += 1
        }
        #expect(wrong > 30)
    }

    /// For few operations all orders can be tried: the answer must be the same.
    @Test func `says what trying all orders says`() {
        var (random, yes) = (SeededRandom(7), 0)
        for _ in 0..<2000 {
            let operations = (0..<random.number(1...5)).map { n -> Operation in
                let began = Int64(random.number(0...10))
                let kind: Operation.Kind = random.one(of: [.get, .set(random.number(1...2)), .increment, .delete])
                let answers: [Operation.Answer] =
                    switch kind {
                    case .get: [.value(nil), .value(1), .value(2)]
                    case .increment: [.value(1), .value(2), .value(3)]
                    case .delete: [.count(0), .count(1)]
                    default: [.ok]
                    }
                let isLost = random.chance(15)
                return op(
                    n, kind, isLost ? .unknown : random.one(of: answers), began,
                    isLost ? .max : began + Int64(random.number(1...8)))
            }
            let expected = isExplained(operations, Register())
            #expect(Linearizability.check(operations) == (expected ? .yes : .no), "\(operations)")
            yes += expected ? 1 : 0
        }
        #expect((200...1800).contains(yes))
    }

    private func isExplained(_ left: [Operation], _ state: Register) -> Bool {
        if left.isEmpty { return true }
        let firstEnd = left.map(\.ended).min() ?? .max
        return left.indices.contains { n in
            guard left[n].began <= firstEnd, let after = state.after(left[n]) else { return false }
            var rest = left
            rest.remove(at: n)
            return isExplained(rest, after)
        }
    }
}
