import EventModel
import Learning
import Testing

@Suite("Names as two words")
struct PackedNameTests {
    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")

    private func name(_ random: inout SeededRandom) -> String {
        String((0..<Int.random(in: 1...20, using: &random)).map { _ in Self.letters.randomElement(using: &random)! })
    }

    @Test func `are the names again, and have their order`() throws {
        var random = SeededRandom(7)
        let names = (0..<500).map { _ in name(&random) } + ["a", "ab", "a_", "0", "zzzzzzzzzzzzzzzzzzzz", "_", "Z"]
        let packed = try names.map { try #require(PackedName($0)) }
        #expect(packed.map(\.name) == names)
        #expect(
            packed.sorted().map(\.name) == names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        #expect(Set(packed).count == Set(names).count)
    }

    @Test(arguments: ["", "a b", "ä", "a-b", "aaaaaaaaaaaaaaaaaaaaa", "a\0"])
    func `are of names alone`(_ name: String) { #expect(PackedName(name) == nil) }

    @Test func `are read from the end of a list`() {
        func last(_ limit: Int, _ names: String) -> [String] { PackedName.last(limit, of: names).map(\.name) }
        #expect(last(2, "ann bob carl") == ["bob", "carl"])
        #expect(last(9, "ann bob carl") == ["ann", "bob", "carl"])
        #expect(last(9, "ann") == ["ann"] && last(9, "") == [] && last(0, "ann") == [])
        #expect(last(9, "ann ? bob") == ["ann", "bob"])
    }
}
