import CZlib
import Testing

@testable import MillraceGateway

@Suite("A packed body")
struct GunzipTests {
    private static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        var (input, out) = (bytes, [UInt8](repeating: 0, count: bytes.count + 1000))
        let size = input.count
        input.withUnsafeMutableBufferPointer { input in
            out.withUnsafeMutableBufferPointer { out in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(size)
                stream.next_out = out.baseAddress
                stream.avail_out = UInt32(out.count)
                deflate(&stream, Z_FINISH)
            }
        }
        let count = Int(stream.total_out)
        deflateEnd(&stream)
        return Array(out.prefix(count))
    }
    private static let text = Array((0..<20_000).map { #"{"n":\#($0)}"# }.joined(separator: "\n").utf8)

    @Test(arguments: [1, 7, 1000, 1_000_000])
    func `comes out as it went in, whatever its pieces`(_ size: Int) throws {
        let gunzip = try Gunzip()
        let bytes = Self.packed(Self.text) + Self.packed([0x61])
        var out: [UInt8] = []
        for at in stride(from: 0, to: bytes.count, by: size) {
            try gunzip.add(Array(bytes[at..<min(at + size, bytes.count)])) {
                out += $0
                return true
            }
        }
        try gunzip.end()
        #expect(out == Self.text + [0x61])
    }

    @Test func `that is cut short, damaged or a bomb is refused`() throws {
        let bytes = Self.packed(Self.text)
        let cut = try Gunzip()
        try cut.add(Array(bytes.dropLast(9))) { _ in true }
        #expect { try cut.end() } throws: { ($0 as? Problem)?.status == .badRequest }
        let damaged = try Gunzip()
        #expect { try damaged.add([1, 2, 3, 4]) { _ in true } } throws: { ($0 as? Problem)?.status == .badRequest }
        let bomb = try Gunzip()
        let zeros = Self.packed([UInt8](repeating: 0, count: 20_000_000))
        #expect { try bomb.add(zeros) { _ in true } } throws: { ($0 as? Problem)?.status == .contentTooLarge }
    }
}
