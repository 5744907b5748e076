import Testing

@testable import MillraceApp

@Suite("The memory of kv serve")
struct KVMemoryTests {
    @Test(arguments: [
        ("512MiB", 536_870_912), ("2GiB", 2_147_483_648), ("4096KiB", 4_194_304), ("1048576", 1_048_576),
        ("1MiB", 1_048_576), ("1024KiB", 1_048_576), ("+1GiB", 1_073_741_824),
    ])
    func `is a number with or without a unit`(text: String, bytes: Int) throws {
        #expect(try KVMemory.bytes(text) == bytes)
    }

    @Test(arguments: [
        "", "MiB", "0", "0MiB", "-1MiB", "1.5GiB", "1 MiB", "1MB", "512M", "512mib", "9007199254740993GiB",
        "99999999999999999999", "１MiB", "0x100000", "1MiBMiB",
    ])
    func `is refused where it is no size`(text: String) {
        #expect {
            try KVMemory.bytes(text)
        } throws: { "\($0)".contains("a size as 512MiB") }
    }

    @Test(arguments: ["1048575", "1023KiB", "1"])
    func `is refused where blocks would have no room`(text: String) {
        #expect {
            try KVMemory.bytes(text)
        } throws: { "\($0)".contains("at least 1MiB") }
    }
}
