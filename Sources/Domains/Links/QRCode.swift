/// A picture of a text that cameras read: a QR code of level M, bytes, versions 1 to 10 (ISO/IEC 18004).
struct QRCode {
    /// Bytes of the longest text.
    static let longest = 213
    /// Modules that stay light around it.
    private static let margin = 4
    /// Of versions 1 to 10: correction words of a block, and how many blocks have how many words of data.
    private static let blocks: [(correction: Int, data: [Int])] = [
        (10, [16]), (16, [28]), (26, [44]), (18, [32, 32]), (24, [43, 43]), (16, [27, 27, 27, 27]),
        (18, [31, 31, 31, 31]),
        (22, [38, 38, 39, 39]), (22, [36, 36, 36, 37, 37]), (26, [43, 43, 43, 43, 44]),
    ]
    /// Where alignment patterns stand.
    private static let alignments = [
        [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50],
    ]

    let size: Int
    private(set) var dark: [[Bool]]
    /// Modules that are no data.
    private var fixed: [[Bool]]
    private let version: Int

    /// - Returns: nil where the text is too long.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let fitting = (1...10).first { version in
            bytes.count + (version < 10 ? 2 : 3) <= Self.blocks[version - 1].data.reduce(0, +)
        }
        guard let version = fitting else { return nil }
        self.version = version
        size = 17 + 4 * version
        dark = Array(repeating: Array(repeating: false, count: size), count: size)
        fixed = dark
        drawPatterns()
        draw(Self.words(of: bytes, version))
        let masks = (0..<8).map { masked($0) }
        let best = masks.indices.min { masks[$0].penalty < masks[$1].penalty } ?? 0
        dark = masks[best].dark
    }

    /// The picture as SVG, whose unit is a module.
    var svg: String {
        let side = size + 2 * Self.margin
        var path = ""
        for (y, row) in dark.enumerated() {
            for (x, isDark) in row.enumerated() where isDark {
                path += "M\(x + Self.margin) \(y + Self.margin)h1v1h-1z"
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
            <rect width="\(side)" height="\(side)" fill="#fff"/><path d="\(path)"/></svg>

            """
    }

    // MARK: Words

    /// Data and correction words in the order in which they are drawn.
    private static func words(of bytes: [UInt8], _ version: Int) -> [UInt8] {
        let (correction, sizes) = blocks[version - 1]
        let capacity = sizes.reduce(0, +)
        var bits: [Bool] = []
        func add(_ value: Int, _ count: Int) {
            for bit in (0..<count).reversed() { bits.append(value >> bit & 1 == 1) }
        }
        add(4, 4)
        add(bytes.count, version < 10 ? 8 : 16)
        for byte in bytes { add(Int(byte), 8) }
        add(0, min(4, capacity * 8 - bits.count))
        add(0, (8 - bits.count % 8) % 8)
        var data = stride(from: 0, to: bits.count, by: 8).map { at in
            bits[at..<at + 8].reduce(0 as UInt8) { $0 << 1 | ($1 ? 1 : 0) }
        }
        var filler: UInt8 = 0xec
        while data.count < capacity {
            data.append(filler)
            filler ^= 0xec ^ 0x11
        }
        var (parts, at) = ([ArraySlice<UInt8>](), 0)
        for size in sizes {
            parts.append(data[at..<at + size])
            at += size
        }
        let checks = parts.map { Self.correction(of: $0, correction) }
        var out: [UInt8] = []
        for place in 0..<(sizes.max() ?? 0) {
            for part in parts where place < part.count { out.append(part[part.startIndex + place]) }
        }
        for place in 0..<correction { for check in checks { out.append(check[place]) } }
        return out
    }

    private static func product(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var (a, b, out) = (a, b, 0 as UInt8)
        while b != 0 {
            if b & 1 == 1 { out ^= a }
            a = a << 1 ^ (a & 0x80 != 0 ? 0x1d : 0)
            b >>= 1
        }
        return out
    }

    /// The remainder by the generator of Reed and Solomon.
    private static func correction(of data: ArraySlice<UInt8>, _ count: Int) -> [UInt8] {
        var generator = [UInt8](repeating: 0, count: count)
        generator[count - 1] = 1
        var root: UInt8 = 1
        for _ in 0..<count {
            for place in 0..<count {
                generator[place] = product(generator[place], root) ^ (place + 1 < count ? generator[place + 1] : 0)
            }
            root = product(root, 2)
        }
        var rest = [UInt8](repeating: 0, count: count)
        for byte in data {
            let factor = byte ^ rest.removeFirst()
            rest.append(0)
            for place in 0..<count { rest[place] ^= product(generator[place], factor) }
        }
        return rest
    }

    // MARK: Drawing

    private mutating func set(_ x: Int, _ y: Int, _ isDark: Bool) { (dark[y][x], fixed[y][x]) = (isDark, true) }

    private mutating func drawPatterns() {
        for place in 0..<size {
            set(6, place, place % 2 == 0)
            set(place, 6, place % 2 == 0)
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] {
            for dy in -4...4 {
                for dx in -4...4 where (0..<size).contains(x + dx) && (0..<size).contains(y + dy) {
                    let ring = max(abs(dx), abs(dy))
                    set(x + dx, y + dy, ring != 2 && ring != 4)
                }
            }
        }
        let places = Self.alignments[version - 1]
        for x in places {
            for y in places where !(x == 6 && y == 6 || x == 6 && y == size - 7 || x == size - 7 && y == 6) {
                for dy in -2...2 { for dx in -2...2 { set(x + dx, y + dy, max(abs(dx), abs(dy)) != 1) } }
            }
        }
        drawFormat(mask: 0)
        if version >= 7 {
            var rest = version
            for _ in 0..<12 { rest = rest << 1 ^ (rest >> 11) * 0x1f25 }
            let bits = version << 12 | rest
            for place in 0..<18 {
                let isDark = bits >> place & 1 == 1
                set(size - 11 + place % 3, place / 3, isDark)
                set(place / 3, size - 11 + place % 3, isDark)
            }
        }
    }

    /// Level M and the mask, twice.
    private mutating func drawFormat(mask: Int) {
        var rest = mask
        for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9) * 0x537 }
        let bits = (mask << 10 | rest) ^ 0x5412
        func bit(_ place: Int) -> Bool { bits >> place & 1 == 1 }
        for place in 0...5 { set(8, place, bit(place)) }
        set(8, 7, bit(6))
        set(8, 8, bit(7))
        set(7, 8, bit(8))
        for place in 9..<15 { set(14 - place, 8, bit(place)) }
        for place in 0..<8 { set(size - 1 - place, 8, bit(place)) }
        for place in 8..<15 { set(8, size - 15 + place, bit(place)) }
        set(8, size - 8, true)
    }

    /// In pairs of columns from the right, up and down by turns.
    private mutating func draw(_ words: [UInt8]) {
        var at = 0
        for right in stride(from: size - 1, through: 1, by: -2) {
            let right = right <= 6 ? right - 1 : right
            for step in 0..<size {
                for x in [right, right - 1] {
                    let isUp = (right + 1) & 2 == 0
                    let y = isUp ? size - 1 - step : step
                    if fixed[y][x] || at >= words.count * 8 { continue }
                    dark[y][x] = words[at >> 3] >> UInt8(7 - at & 7) & 1 == 1
                    at += 1
                }
            }
        }
    }

    private func masked(_ mask: Int) -> QRCode {
        var code = self
        for y in 0..<size {
            for x in 0..<size where !fixed[y][x] {
                let turns =
                    switch mask {
                    case 0: (x + y) % 2 == 0
                    case 1: y % 2 == 0
                    case 2: x % 3 == 0
                    case 3: (x + y) % 3 == 0
                    case 4: (x / 3 + y / 2) % 2 == 0
                    case 5: x * y % 2 + x * y % 3 == 0
                    case 6: (x * y % 2 + x * y % 3) % 2 == 0
                    default: ((x + y) % 2 + x * y % 3) % 2 == 0
                    }
                if turns { code.dark[y][x].toggle() }
            }
        }
        code.drawFormat(mask: mask)
        return code
    }

    /// How hard it is to read: long runs, blocks, what looks like a corner, and more of one colour than of the other.
    private var penalty: Int {
        var sum = 0
        let columns = (0..<size).map { x in (0..<size).map { dark[$0][x] } }
        for line in dark + columns {
            var run = 0
            for place in line.indices {
                run = place > 0 && line[place] == line[place - 1] ? run + 1 : 1
                if run == 5 { sum += 3 } else if run > 5 { sum += 1 }
            }
            let corner = [true, false, true, true, true, false, true]
            for at in 0...(size - 11) {
                let part = Array(line[at..<at + 11])
                let light = [false, false, false, false]
                if part == corner + light || part == light + corner { sum += 40 }
            }
        }
        for y in 0..<size - 1 {
            for x in 0..<size - 1
            where dark[y][x] == dark[y][x + 1] && dark[y][x] == dark[y + 1][x] && dark[y][x] == dark[y + 1][x + 1] {
                sum += 3
            }
        }
        let count = dark.reduce(0) { $0 + $1.count { $0 } }
        return sum + abs(count * 20 - size * size * 10) / (size * size) * 10
    }
}
