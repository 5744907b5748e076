import Testing

@testable import Handling

@Suite("A filter of ids")
struct IDFilterTests {
    @Test func `knows all that were added, and nearly none of the others, as it grows`() {
        var filter = IDFilter()
        #expect(!filter.mayHave("id-0"))
        // Beyond the first two layers, and into the third.
        for i in 0..<40_000 { filter.add("id-\(i)") }
        #expect((0..<40_000).allSatisfy { filter.mayHave("id-\($0)") })
        let mistaken = (0..<100_000).count { filter.mayHave("other-\($0)") }
        print("\(mistaken) of 100,000 mistaken")
        #expect(mistaken < 500)
    }

    @Test func `above its limit it rules out nothing`() {
        var filter = IDFilter(limit: 10)
        for i in 0..<10 { filter.add("id-\(i)") }
        // What it has already takes no room.
        filter.add("id-3")
        #expect(!filter.isFull && !filter.mayHave("other"))
        for i in 10..<20 { filter.add("id-\(i)") }
        #expect(filter.isFull && filter.mayHave("other") && filter.mayHave("id-3"))
    }
}
