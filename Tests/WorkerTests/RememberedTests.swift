import EventModel
import Testing

@testable import Handling

@Suite("Remembered ids")
struct RememberedTests {
    private func entry(_ outcome: Int64, at time: Int64) -> Remembered.Entry {
        Remembered.Entry(digest: 1, outcome: Offset(outcome), time: Timestamp(time))
    }

    private func id(_ id: String) -> KeyedID { KeyedID("key", id) }

    @Test func `an id that is decided anew while its older answer is written stays known`() {
        let remembered = Remembered()
        remembered.add(id("a"), entry(1, at: 10))
        remembered.add(id("b"), entry(2, at: 20))
        let written = remembered.count
        remembered.add(id("a"), entry(3, at: 30))
        remembered.forget(written)
        #expect(remembered[id("a")] == entry(3, at: 30) && remembered[id("b")] == nil)
        #expect(remembered.all.map(\.id) == [id("a")] && remembered.count == 1)
    }

    @Test func `what is past its retention is forgotten, oldest first`() {
        let remembered = Remembered()
        for i in 0..<5000 { remembered.add(id("id\(i)"), entry(Int64(i), at: Int64(i))) }
        remembered.add(id("id3"), entry(5000, at: 5000))
        remembered.forget(before: 4000)
        #expect(
            remembered[id("id3999")] == nil && remembered[id("id4000")] != nil && remembered[id("id3")]?.time == 5000)
        #expect(remembered.count == 1001)
        #expect(remembered.all.first?.id == id("id4000") && remembered.all.last?.id == id("id3"))
    }
}
