import EventModel
import Testing

@testable import LinksDomain

@Suite("Codes of links")
struct CodeSpaceTests {
    @Test(arguments: [1, 2, 3, 62, 3844, 65_535, 65_536, 65_537, 238_328] as [UInt64])
    func `are permuted: all numbers of a small space come once, and back`(_ size: UInt64) {
        for key in [0, 1, 0xdead_beef] as [UInt64] {
            let permutation = Permutation(size: size, key: key)
            var seen = [Bool](repeating: false, count: Int(size))
            for number in 0..<size {
                let image = permutation(number)
                #expect(image < size)
                #expect(!seen[Int(image)], "\(number) of \(size) meets another")
                seen[Int(image)] = true
                #expect(permutation.inverse(image) == number)
            }
        }
    }

    @Test(arguments: [(length: 2, buckets: 16), (length: 3, buckets: 1 << 10), (length: 3, buckets: 238_328)])
    func `of a small space, made as the large one, are given once each`(length: Int, buckets: UInt64) {
        let space = CodeSpace(length: length, buckets: buckets)
        var seen: Set<String> = []
        for bucket in 0..<buckets {
            for slot in 0..<space.slots {
                let code = space.code(bucket: bucket, slot: slot)
                if !seen.insert(code).inserted || code.utf8.count != length { #expect(Bool(false), "\(code) twice") }
                let place = space.place(space.number(bucket: bucket, slot: slot))
                if place != slot * buckets + bucket { #expect(Bool(false), "\(code) tells another place") }
            }
        }
        #expect(seen.count == Int(space.slots * buckets))
    }

    @Test(arguments: [1, 20_261_129] as [UInt64])
    func `of the whole space tell their bucket, and no two of a sample are alike`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var codes: Set<String> = []
        var places: Set<[UInt64]> = []
        for _ in 0..<20_000 {
            let space = random.chance(50) ? CodeSpace.six : .seven
            let bucket = UInt64(random.number(0...Int(CodeSpace.buckets) - 1))
            let slot = UInt64(random.number(0...Int(space.slots) - 1))
            let code = space.code(bucket: bucket, slot: slot)
            #expect(code.count == space.length)
            let hasCapital = code.contains { $0.isUppercase }
            #expect(CodeSpace.bucket(of: code) == (hasCapital ? bucket : nil), "\(code), seed \(seed)")
            places.insert([UInt64(space.length), bucket, slot])
            codes.insert(code)
        }
        #expect(codes.count == places.count, "seed \(seed)")
    }

    @Test func `of one bucket are all different, until it has no more of six characters, and then have seven`() throws {
        var given: Set<String> = []
        var lengths: [Int] = []
        for number in 0..<2000 {
            let code = try #require(
                CodeSpace.draw(in: 4711, id: "id-\(number)", used: given.count, isFree: { !given.contains($0) }))
            #expect(given.insert(code).inserted && CodeSpace.bucket(of: code) == 4711 && CodeSpace.isFit(code))
            lengths.append(code.count)
        }
        #expect(lengths == lengths.sorted() && lengths.first == 6 && lengths.last == 7)
        #expect(lengths.firstIndex(of: 7) == Int(CodeSpace.six.slots / 2))
    }

    @Test func `follow from the id, and say nothing of how many there were`() {
        let draw = { (id: String) in CodeSpace.draw(in: 1, id: id, used: 0, isFree: { _ in true }) }
        #expect(draw("a") == draw("a") && draw("a") != draw("b"))
        // First characters are spread: no place of the space is preferred.
        var first: [Character: Int] = [:]
        for number in 0..<6200 {
            let code = CodeSpace.draw(in: UInt64(number), id: "i", used: 0, isFree: { _ in true }) ?? "?"
            first[code.first ?? "?", default: 0] += 1
        }
        #expect(first.count == 62 && first.values.allSatisfy { (50...170).contains($0) }, "\(first)")
    }

    @Test(arguments: ["", "abc", "abcdef", "abcde1", "ABCDE", "ABCDEFGH", "ABCDE-", "ÄBCDEF", "abc def"])
    func `are not what an alias may be, nor anything else`(_ text: String) {
        #expect(CodeSpace.bucket(of: text) == nil)
    }

    @Test(arguments: [
        ("paypa1", "paypal"), ("g00gle", "google"), ("rnail", "mail"), ("vvest", "west"), ("a-b_c", "abc"),
        ("hi", "hl"),
    ])
    func `and aliases that look alike have one skeleton`(_ one: String, _ other: String) {
        #expect(Words.skeleton(one) == Words.skeleton(other))
    }

    @Test func `have no word that offends, also in digits and capitals`() {
        for code in ["xFUCKx", "xFuCk1", "sH1tAB", "5H1TAB", "ASSxxx", "N4Z1ab"] {
            #expect(Words.offends(code), "\(code)")
        }
        #expect(!Words.offends("Xkq9Zp"))
        for alias in ["class-notes", "document", "grape", "report-2455", "sussex"] {
            #expect(!Words.offends(alias: alias), "\(alias)")
        }
        for alias in ["sh1t-x", "big-a55", "fucking-good", "n4zi"] { #expect(Words.offends(alias: alias), "\(alias)") }
        #expect(Words.isReserved("adm1n") && Words.isReserved("l0gin") && !Words.isReserved("summer"))
    }
}
