using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Memory;

/// <summary>Memory goes back to the host in whole pages, and nothing beside them.</summary>
public sealed class GuestReturnTests : IDisposable
{
    private const uint PageBytes = 4096;
    private const int Pages = 8;

    private readonly TestGuest _guest = new();
    private readonly GuestAddress _start;

    public GuestReturnTests()
    {
        _start = _guest.Allocate(Pages * PageBytes, PageBytes);
        byte[] full = new byte[Pages * PageBytes];
        Array.Fill(full, (byte)0x5A);
        _guest.Write(_start, full);
    }

    public void Dispose() => _guest.Dispose();

    [Theory]
    [InlineData(0u, 8u * 4096, 0, 8)]
    [InlineData(4096u, 4096u, 1, 1)]
    [InlineData(1u, 4096u, 0, 0)] // parts of two pages
    [InlineData(1u, 8191u, 1, 1)]
    [InlineData(4095u, 4097u, 1, 1)]
    [InlineData(4096u, 8191u, 1, 1)]
    [InlineData(0u, 4095u, 0, 0)]
    [InlineData(4096u, 0u, 0, 0)]
    public void Slice_Returned_GivesItsWholePagesAndNoOther(uint offset, uint lengthBytes, int firstPage, int pageCount)
    {
        long before = HostMemory.BytesOf(_guest.File);
        Assert.Equal(0, _guest.Slice(new GuestAddress(_start.Value + offset), lengthBytes).ReturnToHost());
        Assert.Equal(before - (pageCount * PageBytes), HostMemory.BytesOf(_guest.File));
        byte[] expected = new byte[Pages * PageBytes];
        Array.Fill(expected, (byte)0x5A);
        expected.AsSpan(firstPage * (int)PageBytes, pageCount * (int)PageBytes).Clear();
        Assert.Equal(expected, _guest.Read(_start, expected.Length));
    }

    [Fact]
    public void Slice_Returned_IsThereAgainWhenItIsWritten()
    {
        Assert.Equal(0, _guest.Slice(_start, PageBytes).ReturnToHost());
        _guest.Write(_start, "new"u8);
        Assert.Equal([.. "new"u8, 0], _guest.Read(_start, 4));
    }

    /// <summary>The first and the last page of a region: its neighbours in the address space are somebody else's.</summary>
    [Theory]
    [InlineData(0ul, 1ul)]
    [InlineData(TestGuest.LowBytes - PageBytes, 1ul)]
    [InlineData(TestGuest.HighStart, TestGuest.HighBytes / PageBytes)]
    public void Slice_AtTheEdgeOfItsRegion_IsReturnedLikeAnyOther(ulong start, ulong pages)
    {
        _guest.Write(new GuestAddress(start), [1]);
        long before = HostMemory.BytesOf(_guest.File);
        Assert.Equal(0, _guest.Slice(new GuestAddress(start), (uint)(pages * PageBytes)).ReturnToHost());
        Assert.Equal(before - PageBytes, HostMemory.BytesOf(_guest.File));
    }

    /// <summary>A region that a frontend made of another length than whole pages: the page that it shares stays.</summary>
    [Fact]
    public void Slice_OfARegionThatEndsWithinAPage_LeavesThatPage()
    {
        using GuestMemory odd = GuestMemory.Map(_guest.File.Number, [new GuestMemoryRegion(new GuestAddress(0), PageBytes + 100, _start.Value)]);
        Assert.True(odd.TryGetSlice(new GuestAddress(0), PageBytes + 100, out GuestSlice slice));
        Assert.Equal(0, slice.ReturnToHost());
        Assert.Equal(new byte[PageBytes], _guest.Read(_start, (int)PageBytes));
        Assert.Equal([0x5A], _guest.Read(new GuestAddress(_start.Value + PageBytes), 1));
    }

    [Fact]
    public void Vector_ReturnedFromTheFront_GivesOneSegmentAtATime()
    {
        GuestVector vector = new(4);
        Assert.True(vector.TryAdd(_guest.Slice(_start, PageBytes)));
        Assert.True(vector.TryAdd(_guest.Slice(new GuestAddress(_start.Value + (3 * PageBytes)), 2 * PageBytes)));
        Assert.Equal(0, vector.ReturnFrontToHost());
        Assert.Equal((1, 2ul * PageBytes), (vector.SegmentCount, vector.LengthBytes));
        Assert.Equal([0x5A], _guest.Read(new GuestAddress(_start.Value + (3 * PageBytes)), 1));
        Assert.Equal(0, vector.ReturnFrontToHost());
        Assert.True(vector.IsEmpty);
        Assert.Equal([0], _guest.Read(new GuestAddress(_start.Value + (4 * PageBytes)), 1));
        Assert.Equal(0, vector.ReturnFrontToHost()); // nothing is left, nothing is done
    }
}
