using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Memory;

public sealed class GuestVectorTests : IDisposable
{
    private readonly TestGuest _guest = new();
    private readonly GuestVector _vector = new(4);

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void WriteTo_SegmentsInAnyOrder_WritesThemInTheOrderGiven()
    {
        using FdHandle file = MemFd.Create("file");
        Add("world"u8);
        Add("hello"u8);
        Assert.Equal(10, _vector.WriteTo(file.Number, 3));
        Assert.True(_vector.IsEmpty);
        byte[] content = new byte[13];
        Assert.Equal(13, FdIo.ReadAt(file.Number, content, 0));
        Assert.Equal("\0\0\0worldhello"u8.ToArray(), content);
    }

    [Fact]
    public void ReadFrom_EndOfFileInTheMiddle_ReportsTheShortCountAndKeepsTheRest()
    {
        using FdHandle file = MemFd.Create("file");
        Assert.Equal(6, FdIo.Write(file.Number, "abcdef"u8));
        GuestAddress first = Add(stackalloc byte[4]);
        GuestAddress second = Add(stackalloc byte[4]);
        Assert.Equal(6, _vector.ReadFrom(file.Number, 0));
        Assert.Equal(2UL, _vector.LengthBytes);
        Assert.Equal("abcd"u8.ToArray(), _guest.Read(first, 4));
        Assert.Equal("ef\0\0"u8.ToArray(), _guest.Read(second, 4));
        Assert.Equal(0, _vector.ReadFrom(file.Number, 6));
    }

    [Fact]
    public void ReadFrom_BadFd_ReportsTheErrorAndMovesNothing()
    {
        Add("xx"u8);
        Assert.Equal(-(int)Errno.EBADF, _vector.ReadFrom(-1, 0));
        Assert.Equal(2UL, _vector.LengthBytes);
    }

    [Fact]
    public void SendAndReceive_OverASocketPair_NeverWait()
    {
        (FdHandle near, FdHandle far) = UnixSocket.CreatePair();
        using (near)
        using (far)
        {
            Add("ping"u8);
            Assert.Equal(4, _vector.Send(near.Number));
            _vector.Clear();
            GuestAddress target = Add(stackalloc byte[8]);
            Assert.Equal(4, _vector.Receive(far.Number));
            Assert.Equal("ping"u8.ToArray(), _guest.Read(target, 4));
            Assert.Equal(-(int)Errno.EAGAIN, _vector.Receive(far.Number));
            // Not by closing it: a process that another test is starting has a copy until its exec.
            Assert.Equal(0, UnixSocket.ShutdownWrite(near.Number));
            Assert.Equal(0, UnixSocket.ShutdownRead(near.Number));
            Assert.Equal(0, _vector.Receive(far.Number));
            Assert.Equal(-(int)Errno.EPIPE, _vector.Send(far.Number));
        }
    }

    [Theory]
    [InlineData(0, "abcdefgh")]
    [InlineData(3, "defgh")]
    [InlineData(4, "efgh")]
    [InlineData(8, "")]
    public void Advance_AcrossSegments_DropsFromTheFront(int bytes, string rest)
    {
        Add("abcd"u8);
        Add("efgh"u8);
        _vector.Advance((ulong)bytes);
        byte[] taken = new byte[rest.Length];
        Assert.True(_vector.TryTake(taken));
        Assert.Equal(rest, System.Text.Encoding.ASCII.GetString(taken));
        Assert.False(_vector.TryTake(stackalloc byte[1]));
    }

    [Theory]
    [InlineData(9, "abcdefgh")]
    [InlineData(5, "abcde")]
    [InlineData(4, "abcd")]
    [InlineData(0, "")]
    public void LimitTo_AcrossSegments_DropsFromTheBack(int bytes, string rest)
    {
        Add("abcd"u8);
        Add("efgh"u8);
        _vector.LimitTo((ulong)bytes);
        Assert.Equal((ulong)rest.Length, _vector.LengthBytes);
        byte[] taken = new byte[rest.Length];
        Assert.True(_vector.TryTake(taken));
        Assert.Equal(rest, System.Text.Encoding.ASCII.GetString(taken));
    }

    [Fact]
    public void TryPut_AcrossSegments_FillsThem()
    {
        GuestAddress first = Add(stackalloc byte[2]);
        GuestAddress second = Add(stackalloc byte[2]);
        Assert.True(_vector.TryPut("xyz"u8));
        Assert.Equal("xy"u8.ToArray(), _guest.Read(first, 2));
        Assert.Equal("z\0"u8.ToArray(), _guest.Read(second, 2));
        Assert.False(_vector.TryPut("12"u8));
        Assert.Equal(1UL, _vector.LengthBytes);
    }

    [Fact]
    public void TrySplitLastByte_SegmentOfOne_LeavesTheOthers()
    {
        Add("ab"u8);
        GuestAddress status = Add("!"u8);
        Assert.True(_vector.TrySplitLastByte(out GuestSlice last));
        last.CopyFrom(0, "s"u8);
        Assert.Equal("s"u8.ToArray(), _guest.Read(status, 1));
        Assert.Equal(2UL, _vector.LengthBytes);
        Assert.Equal(1, _vector.SegmentCount);
    }

    [Fact]
    public void TryAdd_MoreThanTheCapacity_IsRefused()
    {
        for (int index = 0; index < 4; index++)
        {
            Add("a"u8);
        }

        Assert.False(_vector.TryAdd(_guest.Slice(new GuestAddress(0), 1)));
        Assert.True(_vector.TryAdd(_guest.Slice(new GuestAddress(0), 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => _vector.Advance(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GuestVector(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GuestVector(GuestVector.MaxCapacity + 1));
    }

    [Fact]
    public void FillRandom_MoreThanAsked_IsBounded()
    {
        GuestAddress address = Add(stackalloc byte[64]);
        Assert.Equal(32, _vector.FillRandom(32));
        Assert.NotEqual(new byte[32], _guest.Read(address, 32));
        Assert.Equal(new byte[32], _guest.Read(new GuestAddress(address.Value + 32), 32));
    }

    private GuestAddress Add(ReadOnlySpan<byte> content)
    {
        GuestAddress address = _guest.Place(content);
        Assert.True(_vector.TryAdd(_guest.Slice(address, (uint)content.Length)));
        return address;
    }
}
