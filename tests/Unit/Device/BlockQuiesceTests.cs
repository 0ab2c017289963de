using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The real process of a disk, whose ring or memory a frontend takes away while its threads are at work.</summary>
public sealed class BlockQuiesceTests : IDisposable
{
    private readonly TestGuest _guest = new();
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();

    public void Dispose()
    {
        _call.Dispose();
        _kick.Dispose();
        _guest.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Block_RingTakenAwayOrMemoryReplacedUnderLoad_HasAnsweredWhatItTook(bool direct)
    {
        const int pieces = 32;
        const int pieceBytes = 32 * 1024;
        byte[] content = new byte[pieces * pieceBytes];
        new Random(6).NextBytes(content);
        using MediumFile medium = new(content, direct);
        using DeviceProcess process = DeviceProcess.Start(
            new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = content.Length, SerialId = "disk0", Direct = direct }, medium.File);
        Assert.Equal(LaunchMessageType.Ready, process.ReceiveControl(out _));
        process.Frontend.Negotiate(_guest);
        DriverQueue driver = new(_guest, 128);
        GuestAddress data = _guest.Allocate((uint)content.Length, 4096);
        GuestAddress status = _guest.Allocate(pieces);
        GuestAddress headers = _guest.Allocate(16 * pieces);
        Random random = new(7);
        ushort position = 0;
        for (int round = 0; round < 60; round++)
        {
            process.Frontend.StartRing(0, driver, _kick.Number, _call.Number, position);
            _guest.Write(data, new byte[content.Length]);
            for (int piece = 0; piece < pieces; piece++)
            {
                // A flush among the reads, for a file in the page cache answers these at once.
                byte[] header = new byte[16];
                BinaryPrimitives.WriteUInt32LittleEndian(header, piece % 8 == 7 ? 4u : 0u);
                BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), piece % 8 == 7 ? 0 : (ulong)(piece * pieceBytes / 512));
                GuestAddress place = new(headers.Value + (16u * (uint)piece));
                _guest.Write(place, header);
                _guest.Write(new GuestAddress(status.Value + (uint)piece), [0xEE]);
                DriverBuffer answer = new(new GuestAddress(status.Value + (uint)piece), 1, true);
                DriverBuffer room = new(new GuestAddress(data.Value + (uint)(piece * pieceBytes)), pieceBytes, true);
                _ = piece % 8 == 7 ? driver.Add(new DriverBuffer(place, 16, false), answer) : driver.Add(new DriverBuffer(place, 16, false), room, answer);
            }

            EventFd.Signal(_kick.Number);
            Thread.Sleep(random.Next(3));
            if (round % 2 == 0)
            {
                process.Frontend.SendMemory(_guest);
            }

            position = (ushort)process.Frontend.StopRing(0);
            Assert.Equal(position, driver.UsedIndex);
            process.Frontend.StartRing(0, driver, _kick.Number, _call.Number, position);
            for (int waited = 0; driver.UsedIndex != driver.AvailableIndex; waited++)
            {
                Assert.True(waited < 20_000 && !process.HasEnded, $"{driver.UsedIndex} of {driver.AvailableIndex}");
                Thread.Sleep(1);
            }

            position = (ushort)process.Frontend.StopRing(0);
            Assert.Equal(new byte[pieces], _guest.Read(status, pieces));
            for (int piece = 0; piece < pieces; piece++)
            {
                byte[] expected = piece % 8 == 7 ? new byte[pieceBytes] : content[(piece * pieceBytes)..((piece + 1) * pieceBytes)];
                Assert.True(expected.AsSpan().SequenceEqual(_guest.Read(new GuestAddress(data.Value + (uint)(piece * pieceBytes)), pieceBytes)));
            }
        }
    }
}
