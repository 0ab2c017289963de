using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Memory;

public sealed class Museum08TornIndexTests : IDisposable
{
    private readonly TestGuest _guest = new();

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void Museum08_RingIndexReadWhileWritten_IsNeverTorn()
    {
        GuestAddress address = _guest.Allocate(2);
        GuestSlice index = _guest.Slice(address, 2);
        bool stop = false;
        Thread writer = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                index.WriteUInt16Release(0, 0x00FF);
                index.WriteUInt16Release(0, 0xFF00);
            }
        });
        index.WriteUInt16Release(0, 0x00FF);
        writer.Start();
        int torn = 0;
        for (int round = 0; round < 2_000_000; round++)
        {
            ushort value = index.ReadUInt16Acquire(0);
            torn += value is 0x00FF or 0xFF00 ? 0 : 1;
        }

        Volatile.Write(ref stop, true);
        writer.Join();
        Assert.Equal(0, torn);
    }

    [Fact]
    public void ReadUInt16Acquire_OddAddress_IsOurOwnBug()
    {
        GuestSlice slice = _guest.Slice(new GuestAddress(0), 8);
        Assert.Throws<InvalidOperationException>(() => slice.ReadUInt16Acquire(1));
        Assert.Throws<InvalidOperationException>(() => slice.WriteUInt32Release(2, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => slice.ReadUInt16Acquire(8));
        Assert.Throws<ArgumentOutOfRangeException>(() => slice.Slice(uint.MaxValue, 2));
    }
}
