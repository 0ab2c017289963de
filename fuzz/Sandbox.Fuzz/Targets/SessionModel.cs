using System.Buffers.Binary;
using System.Numerics;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.Targets;

/// <summary>What must hold after each message, worked out without the session's own code.</summary>
internal sealed class SessionModel(int queues, uint maxQueueSize, ulong offered)
{
    private readonly bool[] _running = new bool[queues];
    private readonly List<(ulong Guest, ulong Length, ulong User)> _regions = [];
    private bool _ended;
    private bool _owned;

    public void Judge(BackendSession session, in MessageHeader header, ReadOnlySpan<byte> payload, int fdCount, in BackendAction action)
    {
        bool refused = action.Fault != VhostUserFault.None;
        if (refused != (action.Kind == BackendActionKind.EndSession) || (refused && (action.Fds != FdDisposition.Close || action.Ring != RingChange.None || action.Reply != ReplyKind.None)))
        {
            throw new FindingException($"session: a refused {header.Request} asks for more than closing its fds");
        }

        Require(!_ended || refused, header, "was taken after a fault");
        _ended |= refused;
        if (!refused)
        {
            Require(action.Fds != FdDisposition.Keep || fdCount == 1, header, $"keeps one of {fdCount} fds");
            Require(action.Fds != FdDisposition.CloseAfterUse || header.Request is FrontendRequest.SetMemTable or FrontendRequest.SetInflightFd, header, "uses fds");
            Require(action.Fds != FdDisposition.Close || fdCount == 0, header, "came with fds and was taken");
            JudgeOrder(header, payload, action);
            JudgeMemory(header, payload, fdCount);
        }

        Require((session.DeviceFeatures & ~offered) == 0, header, $"features 0x{session.DeviceFeatures:x} were never offered");
        for (int queue = 0; queue < queues; queue++)
        {
            if (action.Queue == queue && action.Ring != RingChange.None)
            {
                _running[queue] = action.Ring == RingChange.Start;
            }

            Require(session.IsRunning(queue) == _running[queue], header, "told nobody that a ring starts or stops");
            if (_running[queue])
            {
                JudgeRing(header, session.GetRing(queue));
            }
        }
    }

    private void JudgeOrder(in MessageHeader header, ReadOnlySpan<byte> payload, in BackendAction action)
    {
        _owned |= header.Request == FrontendRequest.SetOwner;
        bool needsOwner = header.Request is not (FrontendRequest.GetFeatures or FrontendRequest.GetProtocolFeatures or FrontendRequest.SetProtocolFeatures
            or FrontendRequest.GetQueueNum or FrontendRequest.SetOwner or FrontendRequest.ResetOwner or FrontendRequest.GetConfig or FrontendRequest.SetConfig);
        Require(_owned || !needsOwner, header, "was taken before SET_OWNER");
        if (header.Request is FrontendRequest.GetInflightFd or FrontendRequest.SetInflightFd)
        {
            Require(!_running.AsSpan().Contains(true), header, "was taken while a ring runs");
            Require(action.Inflight.SizeBytes is > 0 and <= VhostUserLimits.MaxInflightBytes && action.Inflight.QueueCount * (16ul + (16ul * action.Inflight.QueueSize)) <= action.Inflight.SizeBytes, header, $"gives {action.Inflight}");
        }

        if (header.Request is FrontendRequest.SetVringNum or FrontendRequest.SetVringBase or FrontendRequest.SetVringAddr or FrontendRequest.SetVringKick)
        {
            uint queue = BinaryPrimitives.ReadUInt32LittleEndian(payload) & (header.Request == FrontendRequest.SetVringKick ? 0xFFu : uint.MaxValue);
            Require(queue < queues, header, $"was taken for queue {queue}");
            Require(!_running[queue], header, "was taken while the ring runs");
        }

        Require(action.Queue >= 0 && action.Queue < queues, header, $"acts on queue {action.Queue}");
    }

    private void JudgeMemory(in MessageHeader header, ReadOnlySpan<byte> payload, int fdCount)
    {
        if (header.Request != FrontendRequest.SetMemTable)
        {
            return;
        }

        int count = BinaryPrimitives.ReadInt32LittleEndian(payload);
        Require(count is > 0 and <= 8 && count == fdCount && payload.Length >= 8 + (32 * count), header, $"with {count} regions, {fdCount} fds and {payload.Length} bytes was taken");
        _regions.Clear();
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> region = payload[(8 + (32 * index))..];
            ulong guest = BinaryPrimitives.ReadUInt64LittleEndian(region);
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(region[8..]);
            ulong user = BinaryPrimitives.ReadUInt64LittleEndian(region[16..]);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(region[24..]);
            Require(length != 0 && ((guest | length | user | offset) & 4095) == 0, header, "with an empty or unaligned region was taken");
            Require((UInt128)guest + length <= (UInt128)1 << 64 && (UInt128)user + length <= (UInt128)1 << 64 && (UInt128)offset + length <= (UInt128)1 << 63, header, "with a region that wraps was taken");
            foreach ((ulong otherGuest, ulong otherLength, ulong otherUser) in _regions)
            {
                bool apart = Apart(guest, length, otherGuest, otherLength) && Apart(user, length, otherUser, otherLength);
                Require(apart, header, "with regions that overlap was taken");
            }

            _regions.Add((guest, length, user));
        }
    }

    private void JudgeRing(in MessageHeader header, in RingLayout ring)
    {
        bool sound = ring.Size != 0 && BitOperations.IsPow2(ring.Size) && ring.Size <= maxQueueSize
            && ring.DescriptorTable % 16 == 0 && ring.AvailableRing % 2 == 0 && ring.UsedRing % 4 == 0
            && Inside(ring.DescriptorTable, 16u * ring.Size) && Inside(ring.AvailableRing, 6 + (2u * ring.Size)) && Inside(ring.UsedRing, 6 + (8u * ring.Size));
        Require(sound, header, $"left {ring} running");
    }

    private bool Inside(ulong guest, ulong length)
    {
        foreach ((ulong start, ulong regionLength, ulong _) in _regions)
        {
            if (guest >= start && (UInt128)guest + length <= (UInt128)start + regionLength)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Apart(ulong first, ulong firstLength, ulong second, ulong secondLength) =>
        (UInt128)first + firstLength <= second || (UInt128)second + secondLength <= first;

    private static void Require(bool holds, in MessageHeader header, string what)
    {
        if (!holds)
        {
            throw new FindingException($"session: {header.Request} {what}");
        }
    }
}
