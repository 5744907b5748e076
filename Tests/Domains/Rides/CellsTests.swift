import DomainTesting
import EventModel
import Foundation
import Testing

@testable import Geography
@testable import RidesDomain

/// Leaf cells and tokens as other implementations have them: the Go one's tests, which its authors took from the C++ one
/// (github.com/golang/geo, s2/cellid_test.go), and what the form of an id says of itself.
@Suite("Cells of the sphere")
struct CellsTests {
    private static let leaves: [(UInt64, Double, Double)] = [
        (0x47a1_cbd5_9552_2b39, 49.703498679, 11.770681595), (0x4652_5318_b63b_e0f9, 55.685376759, 12.588490937),
        (0x52b3_0b71_698e_729d, 45.486546517, -93.449700022), (0x46ed_8886_cfad_da85, 58.299984854, 23.049300056),
        (0x3663_f18a_24cb_e857, 34.364439040, 108.330699969), (0x010a_06c0_a948_cf5d, -30.694551352, -30.048758753),
        (0x2b2b_fd07_6787_c5df, -25.285264027, 133.823116966), (0xb09d_ff88_2a78_09e1, -75.000000031, 0.000000133),
        (0x94da_a3d0_0000_0001, -24.694439215, -47.537363213), (0x87a1_0000_0000_0001, 38.899730392, -99.901813021),
        (0x4fc7_6d50_0000_0001, 81.647200334, -55.631712940), (0x3b00_9555_5555_5555, 10.050986518, 78.293170610),
        (0x1dcc_4699_9155_5555, -34.055420593, 18.551140038), (0xb112_966a_aaaa_aaab, -69.219262171, 49.670072392),
    ]
    private static let tokens: [(String, UInt64)] = [
        ("1", 0x1000_0000_0000_0000), ("3", 0x3000_0000_0000_0000), ("14", 0x1400_0000_0000_0000),
        ("41", 0x4100_0000_0000_0000), ("094", 0x0940_0000_0000_0000), ("537", 0x5370_0000_0000_0000),
        ("3fec", 0x3fec_0000_0000_0000), ("52b8c", 0x52b8_c000_0000_0000), ("4476dc", 0x4476_dc00_0000_0000),
        ("08f569b5c", 0x08f5_69b5_c000_0000), ("07a77802a3fc", 0x07a7_7802_a3fc_0000),
        ("01614b5e968e121", 0x0161_4b5e_968e_1210), ("48a23db9c2963e5b", 0x48a2_3db9_c296_3e5b),
    ]

    @Test(arguments: leaves)
    func `are the cells of other implementations`(id: UInt64, lat: Double, lng: Double) {
        let leaf = Spot(lat: lat, lng: lng).leaf
        #expect(leaf.id == id && leaf.level == 30)
        // A level's id is the path to it, two bits a level behind three of the face, then a one and zeros.
        for level in 0...30 as ClosedRange<Int32> {
            let last = UInt64(1) << UInt64(2 * (30 - level))
            let parent = leaf.parent(level)
            #expect(parent.id == id & ~(last &* 2 &- 1) | last && parent.level == level)
            #expect(parent.leaves.lowerBound == Int64(bitPattern: parent.id - (last - 1)))
            #expect(parent.leaves.upperBound == Int64(bitPattern: parent.id + (last - 1)))
            #expect(parent.leaves.contains(Int64(bitPattern: id)))
            #expect(parent.leaves.lowerBound.signum() == parent.leaves.upperBound.signum())
        }
    }
    @Test(arguments: tokens)
    func `have the tokens of other implementations`(token: String, id: UInt64) {
        #expect(Cell(id: id).token == token && Cell(token: token) == Cell(id: id))
        #expect(Cell(token: token.uppercased()) == Cell(id: id))
    }
    @Test(arguments: [
        "", "X", "0", "g", "8085 80", " 808580", "808580\n", "+1", "-1", "11111111111111111", "2", "f", "é",
    ])
    func `have no other tokens`(token: String) { #expect(Cell(token: token) == nil) }

    @Test func `are the same for one place with two names`() {
        for lat in [-90.0, -89.5, -45, 0, 0.1, 60, 90] {
            #expect(Spot(lat: lat, lng: 180) == Spot(lat: lat, lng: -180))
            #expect(Spot(lat: lat, lng: 180).leaf == Spot(lat: lat, lng: -180).leaf)
        }
        for pole in [90.0, -90] { #expect(Spot(lat: pole, lng: 17).leaf == Spot(lat: pole, lng: -120).leaf) }
        #expect(Spot(lat: 0, lng: 0).leaf == Spot(lat: -0.0, lng: -0.0).leaf)
    }
    @Test func `of every face have leaves of one sign`() {
        for face in 0..<6 as Range<UInt64> {
            let cell = Cell(id: face << 61 | 1 << 60)
            #expect(cell.level == 0 && (cell.leaves.upperBound < 0) == (face >= 4))
            #expect((cell.leaves.lowerBound < 0) == (face >= 4))
        }
    }

    @Test func `a distance is the arc on a sphere of 6,371,010 metres`() {
        let degree = Double.pi / 180 * 6_371_010
        func near(_ a: (Double, Double), _ b: (Double, Double), _ degrees: Double) -> Bool {
            let (a, b) = (Spot(lat: a.0, lng: a.1), Spot(lat: b.0, lng: b.1))
            return abs(a.distance(to: b) - degrees * degree) < 1e-6 && a.distance(to: b) == b.distance(to: a)
        }
        #expect(near((0, 0), (0, 90), 90) && near((0, 0), (90, 77), 90) && near((12, 5), (12, 5), 0))
        #expect(near((10, 20), (11, 20), 1) && near((89, 0), (89, 180), 2) && near((0, 179.5), (0, -179.5), 1))
        // Antipodes, near antipodes, and a hair apart.
        #expect(near((0, 0), (0, 180), 180) && near((90, 0), (-90, 0), 180) && near((0, 0), (0, 179.999), 179.999))
        #expect(near((0, 0), (0, 1e-9), 1e-9) && near((0, -180), (0, 180), 0))
        // Two places 60 degrees of longitude apart at 60 north: cos d = sin² 60 + cos² 60 cos 60 = 0.875.
        #expect(abs(Spot(lat: 60, lng: 0).distance(to: Spot(lat: 60, lng: 60)) - acos(0.875) * 6_371_010) < 1e-6)
        #expect(abs(Spot.farthest - 180 * degree) < 1e-6)
    }
    @Test func `a distance is what the haversine formula gives`() {
        var random = SeededRandom(12)
        for _ in 0..<1000 {
            let (a, b) = (Fleet.anywhere(&random), Fleet.anywhere(&random))
            let (p, q) = (a.lat * .pi / 180, b.lat * .pi / 180)
            let (dp, dl) = ((q - p) / 2, (b.lng - a.lng) * .pi / 360)
            let h = sin(dp) * sin(dp) + cos(p) * cos(q) * sin(dl) * sin(dl)
            let arc = 2 * asin(h.squareRoot()) * 6_371_010
            #expect(abs(a.distance(to: b) - arc) < 0.01, "\(a), \(b), seed 12")
        }
    }
    @Test func `a cover holds every spot of its circle, in few cells that do not overlap`() {
        let seed: UInt64 = 0xc0ffee
        var random = SeededRandom(seed)
        for _ in 0..<300 {
            let centre = Fleet.hard(&random)
            let radius = pow(10, Double.random(in: -2...7.3, using: &random))
            let cells = centre.cover(radius: radius)
            #expect((1...8).contains(cells.count))
            let ranges = cells.map(\.leaves).sorted { $0.lowerBound < $1.lowerBound }
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
            for _ in 0..<20 {
                let spot = Fleet.around(centre, radius, &random)
                if centre.distance(to: spot) > radius { continue }
                let leaf = Int64(bitPattern: spot.leaf.id)
                #expect(ranges.contains { $0.contains(leaf) }, "\(spot) around \(centre), \(radius) m, seed \(seed)")
            }
        }
    }
}
