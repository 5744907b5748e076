import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import TicketsDomain

/// A section to which commands come one after another, each at its own second.
private struct House {
    var state = Tickets.initial
    var facts: [(fact: Fact, second: Int64)] = []

    /// - Parameter limits: Nil is a section of before there were any.
    init(_ limits: TicketsHoldLimits?) {
        guard case .sectionOpened(var opened) = Fact.opened else { return }
        if let limits { opened.limits = limits }
        take(.sectionOpened(opened), at: 0)
    }

    mutating func take(_ fact: Fact, at second: Int64) {
        Tickets.evolve(&state, with: fact, at: after(second))
        facts.append((fact, second))
    }

    func decided(_ command: Order, at second: Int64) -> Result<[Fact], TicketsRefusal> {
        Result { () throws(TicketsRefusal) in
            try Tickets.decide(command, id: "c\(second)", on: state, at: after(second))
        }
    }
    /// Folds what a command makes; says why it made nothing, nil where it did.
    @discardableResult mutating func ask(_ command: Order, at second: Int64) -> TicketsRefusal? {
        switch decided(command, at: second) {
        case .success(let made):
            for fact in made { take(fact, at: second) }
            return nil
        case .failure(let no): return no
        }
    }
}

@Suite("How much one holder may hold")
struct TicketsLimitsTests {
    private static let quarter = TicketsHoldLimits.with { ($0.holdSeconds, $0.windowSeconds) = (900, 3600) }
    private static let three = TicketsHoldLimits.with { ($0.seatsPerHolder, $0.holdSeconds) = (3, 0) }

    private func no(_ seat: String, until second: Int64, now: Int64) -> TicketsRefusal {
        .holdLimit(seat: seat, until: after(second), wait: .seconds(second - now), limit: .init(Self.quarter))
    }

    @Test func `a seat is released and held anew only for so long in all, and again once that is forgotten`() {
        var house = House(Self.quarter)
        for start in [0, 299, 598] as [Int64] {
            #expect(house.ask(.hold("h", by: "ann", "A-1"), at: start) == nil)
            #expect(house.ask(.release("h", by: "ann"), at: start + 299) == nil)
        }
        #expect(house.ask(.hold("h", by: "ann", "A-1"), at: 897) == no("A-1", until: 3600, now: 897))
        #expect(house.ask(.hold("h", by: "ann", "A-2", "A-1"), at: 3599) == no("A-1", until: 3600, now: 3599))
        #expect(
            house.decided(.hold("h", by: "ann", "A-1"), at: 3600) == .success([.held("h", by: "ann", "A-1", at: 3600)]))
        // Another seat and another holder are counted for themselves.
        #expect(house.ask(.hold("h", by: "ann", "A-2"), at: 897) == nil)
        #expect(house.ask(.hold("h2", by: "bob", "A-1"), at: 897) == nil)
    }
    @Test func `a hold that runs out counts whole, whether its timer came or the next hold ended it`() {
        for timer in [true, false] {
            var house = House(Self.quarter)
            for start in [0, 300, 600] as [Int64] {
                #expect(house.ask(.hold("h\(start)", by: "ann", "A-1"), at: start) == nil)
                if timer { #expect(house.ask(.expire("h\(start)"), at: start + 300) == nil) }
            }
            #expect(house.ask(.hold("h", by: "ann", "A-1"), at: 900) == no("A-1", until: 3600, now: 900))
            // Bob's hold ends Ann's where no timer did.
            let expired: [Fact] = timer ? [] : [.expired("h600", "A-1")]
            #expect(
                house.decided(.hold("h", by: "bob", "A-1"), at: 900)
                    == .success(expired + [.held("h", by: "bob", "A-1", at: 900)]))
        }
    }
    @Test func `a hold counts for as long as it lasted`() {
        var house = House(Self.quarter)
        var holds = 0
        while house.ask(.hold("h", by: "ann", "A-1"), at: Int64(holds) * 20) == nil, holds < 1000 {
            house.ask(.release("h", by: "ann"), at: Int64(holds) * 20 + 10)
            holds += 1
        }
        // Another whole hold fits as long as no more than 600 of the 900 seconds are gone.
        #expect(holds == 61)
        // Released late, or by a clock that goes back, it counts neither more than five minutes nor less than none.
        for (end, fits) in [(1000, false), (-50, true)] as [(Int64, Bool)] {
            var house = House(.with { ($0.holdSeconds, $0.windowSeconds) = (500, 3600) })
            house.ask(.hold("h", by: "ann", "A-1"), at: 0)
            house.ask(.release("h", by: "ann"), at: end)
            #expect((house.ask(.hold("h", by: "ann", "A-1"), at: 400) == nil) == fits)
        }
    }
    @Test func `a purchase within the limit is as it was`() {
        var house = House(Self.quarter)
        for start in [0, 299] as [Int64] {
            house.ask(.hold("h", by: "ann", "A-1"), at: start)
            house.ask(.release("h", by: "ann"), at: start + 299)
        }
        #expect(house.ask(.hold("h", by: "ann", "A-1"), at: 600) == nil)
        #expect(house.ask(.confirm("h", by: "ann"), at: 899) == nil)
        #expect(house.decided(.hold("h", by: "ann", "A-1"), at: 9999) == .success([]))
        #expect(house.state.section?.heldTimes.isEmpty == true, "what is sold is counted no more")
    }
    @Test func `one holder has so many seats at once, held and bought`() {
        var house = House(Self.three)
        func no(has: Int, until second: Int64?) -> TicketsRefusal {
            .seatLimit(section: "stalls", has: has, most: 3, until: second.map { after($0) })
        }
        #expect(house.ask(.hold("h0", by: "ann", "A-1", "A-2", "A-3", "A-4"), at: 0) == no(has: 0, until: nil))
        #expect(house.ask(.hold("h1", by: "ann", "A-1"), at: 0) == nil)
        #expect(house.ask(.hold("h2", by: "ann", "A-2"), at: 50) == nil)
        #expect(house.ask(.hold("h3", by: "ann", "A-3", "A-4"), at: 100) == no(has: 2, until: 300))
        #expect(house.ask(.hold("h3", by: "ann", "A-3", "A-4", "B-1"), at: 100) == no(has: 2, until: 350))
        #expect(house.ask(.hold("h4", by: "bob", "B-1", "B-2", "B-3"), at: 100) == nil)
        // The same hold again is no other one; what is overdue is nobody's; what is bought stays.
        #expect(house.decided(.hold("h1", by: "ann", "A-1"), at: 100) == .success([]))
        house.ask(.confirm("h1", by: "ann"), at: 200)
        #expect(house.ask(.hold("h3", by: "ann", "A-3", "A-4"), at: 200) == no(has: 2, until: 350))
        #expect(house.ask(.hold("h3", by: "ann", "A-3", "A-4"), at: 350) == nil)
        #expect(house.ask(.hold("h5", by: "ann", "B-4"), at: 360) == no(has: 3, until: 650))
        house.ask(.release("h3", by: "ann"), at: 360)
        #expect(house.ask(.hold("h5", by: "ann", "B-4"), at: 360) == nil)
        house.ask(.confirm("h5", by: "ann"), at: 360)
        #expect(house.ask(.hold("h6", by: "ann", "A-3", "A-4"), at: 370) == no(has: 2, until: nil))
    }
    @Test func `a section of before there were limits has none`() {
        var house = House(nil)
        for start in stride(from: 0, to: 30_000, by: 299) as StrideTo<Int64> {
            #expect(house.ask(.hold("h", by: "ann", "A-1", "A-2", "A-3"), at: start) == nil)
            #expect(house.ask(.release("h", by: "ann"), at: start + 299) == nil)
        }
        #expect(house.state.section?.heldTimes.isEmpty == true && house.state.section?.holdsOf.isEmpty == true)
    }
    @Test func `what is not said of limits is as by default, and 0 is none`() {
        let standard = Tickets.HoldingLimits(.init())
        #expect(standard.seats == nil && standard.time == .seconds(900) && standard.window == .seconds(3600))
        let none = Tickets.HoldingLimits(.with { ($0.seatsPerHolder, $0.holdSeconds) = (0, 0) })
        #expect(none.seats == nil && none.time == nil)
        for limits in [standard, none, .init(Self.three)] { #expect(Tickets.HoldingLimits(limits.proto) == limits) }
    }
    @Test func `a listing's limits come to each section, in full`() throws {
        guard case .listEvent(var list) = Order.list else { return }
        for given in [nil, Self.three, Self.quarter] {
            if let given { list.limits = given } else { list.clearLimits() }
            let listed = try Tickets.decide(.listEvent(list), id: "c1", on: Tickets.initial, at: noon)
            guard case .eventListed(let event)? = listed.first else { return }
            #expect(event.hasLimits == (given != nil))
            let opens = OpenSections.react(
                to: .eventListed(event), at: EventPosition(topic: "", partition: 0, offset: 0, timestamp: noon))
            #expect(opens.count == 2)
            for open in opens {
                guard case .openSection(let command)? = try TicketsCommand.kind(in: open.value) else { return }
                #expect(command.limits.hasSeatsPerHolder && command.limits.hasHoldSeconds)
                #expect(command.limits.hasWindowSeconds)
                #expect(Tickets.HoldingLimits(command.limits) == Tickets.HoldingLimits(given ?? .init()))
                let made = try Tickets.decide(.openSection(command), id: "c2", on: Tickets.initial, at: noon)
                #expect(
                    made == [
                        .sectionOpened(
                            .with {
                                ($0.event, $0.section, $0.limits) = ("e1", command.section, command.limits)
                            })
                    ])
            }
        }
    }
    @Test func `the same listing or section with other limits is another one`() throws {
        guard case .openSection(var open) = Order.open else { return }
        open.limits = .init()
        let house = House(Self.quarter)
        #expect(house.decided(.openSection(open), at: 0) == .success([]), "the defaults, said or not")
        open.limits = Self.three
        #expect(house.decided(.openSection(open), at: 0) == .failure(.alreadyOpen(section: "stalls")))
        #expect(house.decided(.open, at: 0) == .failure(.alreadyOpen(section: "stalls")))
        guard case .listEvent(var list) = Order.list else { return }
        list.limits = Self.three
        given(.listed).when(.listEvent(list)).refused(.alreadyListed(event: "e1"))
    }
    @Test func `a fact over the limits is admitted as little as its command`() throws {
        var house = House(.with { ($0.seatsPerHolder, $0.holdSeconds) = (2, 300) })
        house.ask(.hold("h", by: "ann", "A-1"), at: 0)
        house.ask(.expire("h"), at: 300)
        func admitting(_ fact: Fact, at second: Int64) -> String? {
            do {
                try Tickets.admit(fact, on: house.state, at: after(second))
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(admitting(.held("h", by: "ann", "A-1", at: 300), at: 300) == "hold-limit")
        #expect(admitting(.held("h", by: "ann", "A-2", "A-3", "A-4", at: 300), at: 300) == "seat-limit")
        #expect(admitting(.held("h", by: "ann", "A-2", "A-3", at: 300), at: 300) == nil)
        #expect(admitting(.held("h", by: "ann", "A-1", at: 3600), at: 3600) == nil)
    }
    @Test func `what was held is forgotten after two windows at most, however many held it`() {
        var house = House(.with { ($0.holdSeconds, $0.windowSeconds) = (300, 300) })
        for i in 0..<2000 as Range<Int64> {
            house.ask(.hold("h", by: "fan\(i)", "A-1"), at: i * 10)
            house.ask(.release("h", by: "fan\(i)"), at: i * 10 + 5)
            #expect((house.state.section?.heldTimes.entries.count ?? .max) <= 61)
        }
    }
    @Test func `a checkpoint keeps what was held, and goes on as before`() throws {
        for limits in [Self.quarter, Self.three] {
            var house = House(limits)
            for start in [0, 299, 598] as [Int64] {
                house.ask(.hold("h", by: "ann", "A-1", "A-2"), at: start)
                if start < 598 { house.ask(.release("h", by: "ann"), at: start + 299) }
            }
            var again = house
            again.state = try JSONDecoder().decode(Tickets.State.self, from: try JSONEncoder().encode(house.state))
            for (command, second) in [
                (.hold("x", by: "ann", "A-1"), 899), (.hold("x", by: "ann", "B-1", "B-2"), 700),
                (.hold("x", by: "ann", "A-1"), 3600), (.hold("x", by: "bob", "A-2"), 899),
                (.confirm("h", by: "ann"), 700), (.release("h", by: "ann"), 700),
            ] as [(Order, Int64)] {
                #expect(again.decided(command, at: second) == house.decided(command, at: second))
            }
        }
    }
    @Test func `an invariant finds who holds too much`() throws {
        func verdict(_ limits: TicketsHoldLimits?, _ facts: [(Fact, Int64)]) throws -> String? {
            var house = House(limits)
            for (fact, second) in facts { house.take(fact, at: second) }
            let audit = TicketsInvariants.nobodyHoldsOverTheLimits.begin()
            do {
                for (i, (fact, second)) in house.facts.enumerated() {
                    let record = Record(
                        offset: Offset(Int64(i)), timestamp: after(second), key: "e1:stalls",
                        value: TicketsEvent.bytes(fact))
                    try audit.apply(record, from: TopicPartition("tickets.events", 0))
                }
                try audit.finish(nil)
                return nil
            } catch let violation as Violation {
                return violation.message
            }
        }
        let often: [(Fact, Int64)] = (0..<4).flatMap { i -> [(Fact, Int64)] in
            [(.held("h", by: "ann", "A-1", at: i * 300), i * 300), (.expired("h", "A-1"), i * 300 + 300)]
        }
        #expect(
            try verdict(Self.quarter, often)?.hasPrefix("ann holds too much at tickets.events/0@7: seat A-1") == true)
        #expect(try verdict(Self.quarter, often.dropLast(2)) == nil)
        #expect(try verdict(nil, often) == nil)
        let many: [(Fact, Int64)] = [
            (.held("h", by: "ann", "A-1", "A-2"), 0), (.held("i", by: "ann", "A-3", "A-4"), 0),
        ]
        #expect(try verdict(Self.three, many)?.contains("one holder may have 3 seats of section stalls") == true)
        #expect(try verdict(Self.three, many.dropLast()) == nil)
    }
}
