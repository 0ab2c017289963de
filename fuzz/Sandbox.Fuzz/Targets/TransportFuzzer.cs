using System.Buffers.Binary;
using Sandbox.Fuzz.Engine;
using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Fuzz.Targets;

/// <summary>The virtio-mmio registers: any accesses, and a second reading of the states (virtio 1.2 §2.1, §3.1.1, §4.2.2) beside them.</summary>
internal sealed class TransportFuzzer : IFuzzer
{
    private const uint PageBytes = 0x1000;

    private static readonly GuestAddress Start = new(0xD000_0000);

    // One for all runs: a transport that begins writes whatever is looked at.
    private static readonly GuestMemory Memory = GuestMemory.MapOwn(Start, PageBytes);

    private static readonly uint[] QueueRegisters = [0x38, 0x80, 0x84, 0x90, 0x94, 0xA0, 0xA4];

    private static readonly uint[] Registers =
        [0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x20, 0x24, 0x30, 0x34, 0x38, 0x44, 0x50, 0x60, 0x64, 0x70, 0x80, 0x84, 0x90, 0x94, 0xA0, 0xA4, 0xFC, 0x100];

    public string Name => "transport";

    public string Subject => "virtio-mmio registers and device status, against a second reading of the states";

    public int MaxInputBytes => 384;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        TransportModel model = new();
        _ = Memory.TryGetSlice(Start, PageBytes, out GuestSlice page);
        VirtioMmioTransport transport = new(model, page);
        byte mode = input.Byte();
        model.RefusesStart = (mode & 2) != 0;
        if ((mode & 1) != 0)
        {
            BringUp(transport, model); // most of what matters comes after
        }

        while (!input.IsEmpty)
        {
            long before = Allocation.Now;
            Step(ref input, transport, model);
            Allocation.Require(before, 0, "a register access");
            model.Check(ReadRegister(transport, 0x70), ReadRegister(transport, 0x44), ReadRegister(transport, 0x60));
            RequireShown(transport, page);
        }
    }

    private static void Step(ref InputReader input, VirtioMmioTransport transport, TransportModel model)
    {
        Span<byte> data = stackalloc byte[8];
        int action = input.Below(8);
        switch (action)
        {
            case 0: // any offset and width
                int width = 1 << input.Below(4);
                uint offset = input.OneIn(2) ? input.U16() & 0xFFFu : input.Pick<uint>(Registers);
                input.Bytes(8).CopyTo(data);
                if (input.OneIn(2))
                {
                    transport.Read(offset, data[..width]);
                }
                else
                {
                    transport.Write(offset, data[..width]);
                    model.Wrote(offset, width, BinaryPrimitives.ReadUInt32LittleEndian(data));
                }

                break;
            case 1 or 2: // the status a driver would write next
                Write(transport, model, 0x70, input.OneIn(6) ? input.Edge32() : input.OneIn(12) ? 0 : input.Pick<uint>([1, 3, 11, 15, 3, 11, 15]));
                break;
            case 3:
                Write(transport, model, 0x30, input.OneIn(4) ? input.Edge32() : (uint)input.Below(TransportModel.Queues));
                break;
            case 4:
                Write(transport, model, 0x44, input.OneIn(6) ? input.Edge32() : (uint)input.Below(2));
                break;
            case 5:
                Write(transport, model, 0x24, input.OneIn(4) ? input.Edge32() : (uint)input.Below(2));
                Write(transport, model, 0x20, input.OneIn(2) ? input.Edge32() : 1);
                break;
            case 6:
                Write(transport, model, input.Pick<uint>(QueueRegisters), input.Edge32());
                break;
            case 7 when input.OneIn(6):
                model.Demanded(transport.DemandReset());
                break;
            case 7 when input.OneIn(6):
                transport.ConfigurationChanged();
                model.Changed();
                break;
            default:
                uint register = input.Pick<uint>(Registers);
                Reached.Note(3, (int)(register ^ (ReadRegister(transport, register) & 0xF)));
                break;
        }
    }

    private static void BringUp(VirtioMmioTransport transport, TransportModel model)
    {
        Write(transport, model, 0x70, 1);
        Write(transport, model, 0x70, 3);
        Write(transport, model, 0x24, 1);
        Write(transport, model, 0x20, 1);
        Write(transport, model, 0x70, 11);
        for (uint queue = 0; queue < TransportModel.Queues; queue++)
        {
            Write(transport, model, 0x30, queue);
            Write(transport, model, 0x38, 64);
            Write(transport, model, 0x80, 0x1000 * (queue + 1));
            Write(transport, model, 0x44, 1);
        }
    }

    private static void Write(VirtioMmioTransport transport, TransportModel model, uint offset, uint value)
    {
        Span<byte> data = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
        transport.Write(offset, data);
        model.Wrote(offset, sizeof(uint), value);
    }

    // A guest reads the page, never the register: whatever it has just done, both say the same.
    private static void RequireShown(VirtioMmioTransport transport, GuestSlice page)
    {
        foreach (uint register in Registers)
        {
            if (page.ReadUInt32Acquire(register) != ReadRegister(transport, register))
            {
                throw new FindingException($"transport: register 0x{register:x} is not on the page as it would be read");
            }
        }
    }

    private static uint ReadRegister(VirtioMmioTransport transport, uint offset)
    {
        Span<byte> data = stackalloc byte[sizeof(uint)];
        data.Fill(0xFF);
        transport.Read(offset, data);
        return BinaryPrimitives.ReadUInt32LittleEndian(data);
    }
}
