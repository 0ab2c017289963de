using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Testing;

/// <summary>Guest memory without a guest: a low region, a hole, and a high one, with a bump allocator for what a driver would allocate.</summary>
public sealed class TestGuest : IDisposable
{
    public const ulong LowBytes = 0x40_0000;
    public const ulong HighStart = 0x1_0000_0000;
    public const ulong HighBytes = 0x10_0000;

    private ulong _next = 0x1000;

    public TestGuest()
    {
        File = MemFd.CreateSealed("test-guest", (long)(LowBytes + HighBytes));
        Memory = GuestMemory.Map(File.Number, Regions);
    }

    public static GuestMemoryRegion[] Regions =>
    [
        new GuestMemoryRegion(new GuestAddress(0), LowBytes, 0),
        new GuestMemoryRegion(new GuestAddress(HighStart), HighBytes, LowBytes),
    ];

    public FdHandle File { get; }

    public GuestMemory Memory { get; }

    /// <summary>Fresh zeroed low memory.</summary>
    public GuestAddress Allocate(uint lengthBytes, uint alignment = 16)
    {
        ulong start = (_next + alignment - 1) & ~((ulong)alignment - 1);
        _next = start + lengthBytes;
        return _next <= LowBytes ? new GuestAddress(start) : throw new InvalidOperationException("the test's guest is too small");
    }

    /// <summary>Fresh memory that holds <paramref name="content"/>.</summary>
    public GuestAddress Place(ReadOnlySpan<byte> content)
    {
        GuestAddress address = Allocate((uint)content.Length);
        Write(address, content);
        return address;
    }

    public void Write(GuestAddress address, ReadOnlySpan<byte> content)
    {
        if (!Memory.TryWrite(address, content))
        {
            throw new ArgumentOutOfRangeException(nameof(address));
        }
    }

    public byte[] Read(GuestAddress address, int lengthBytes)
    {
        byte[] copy = new byte[lengthBytes];
        return Memory.TryRead(address, copy) ? copy : throw new ArgumentOutOfRangeException(nameof(address));
    }

    public GuestSlice Slice(GuestAddress address, uint lengthBytes) =>
        Memory.TryGetSlice(address, lengthBytes, out GuestSlice slice) ? slice : throw new ArgumentOutOfRangeException(nameof(address));

    public void Dispose()
    {
        Memory.Dispose();
        File.Dispose();
    }
}
