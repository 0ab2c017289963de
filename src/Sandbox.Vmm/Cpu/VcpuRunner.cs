using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Kvm;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.Cpu;

/// <summary>A vCPU's thread: run the guest, answer what it asked, run it again. The loop allocates nothing.</summary>
internal sealed class VcpuRunner(KvmVcpu vcpu, PortBus ports, MmioBus mmio, VcpuGate gate, EndLatch end)
{
    private const int StackBytes = 256 * 1024;

    /// <summary>Starts the thread. It is a background one: the process does not wait for it, a guest may be deep in a loop. It has no name: to give it one takes two more system calls.</summary>
    public void Start()
    {
        Thread thread = new(Loop, StackBytes) { IsBackground = true };
        thread.Start();
    }

    private void Loop()
    {
        if (gate.Pass())
        {
            try
            {
                Run();
            }
            catch (LinuxException failure)
            {
                end.Set(EndReason.HostFailure, (ulong)failure.Errno, failure.Message);
            }
        }

        // Whether or not the machine ended by this vCPU: the process ends with all its threads, and the end of one would need more calls.
        VcpuGate.Park();
    }

    private void Run()
    {
        while (!end.IsSet)
        {
            VcpuExit exit = vcpu.Run();
            switch (exit.Kind)
            {
                case VcpuExitKind.Port:
                    AnswerPort(exit);
                    break;
                case VcpuExitKind.Mmio:
                    AnswerMmio(exit);
                    break;
                case VcpuExitKind.Interrupted:
                    break;
                default:
                    end.Set(ReasonOf(exit.Kind), exit.Address, Describe(exit));
                    break;
            }
        }
    }

    private void AnswerPort(in VcpuExit exit)
    {
        Span<byte> data = stackalloc byte[4];
        data = data[..(int)exit.SizeBytes];
        ushort port = (ushort)exit.Address;
        for (uint index = 0; index < exit.Count; index++)
        {
            if (exit.IsWrite)
            {
                vcpu.CopyPortOutput(exit, index, data);
                ports.Write(port, data);
            }
            else
            {
                ports.Read(port, data);
                vcpu.ReplyPort(exit, index, data);
            }
        }
    }

    private void AnswerMmio(in VcpuExit exit)
    {
        Span<byte> data = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(data, exit.Data);
        data = data[..(int)exit.SizeBytes];
        if (exit.IsWrite)
        {
            mmio.Write(new GuestAddress(exit.Address), data);
        }
        else
        {
            mmio.Read(new GuestAddress(exit.Address), data);
            vcpu.ReplyMmio(data);
        }
    }

    private static EndReason ReasonOf(VcpuExitKind kind) => kind switch
    {
        VcpuExitKind.TripleFault => EndReason.TripleFault,
        VcpuExitKind.HostError => EndReason.HostFailure,
        _ => EndReason.InternalError,
    };

    private string Describe(in VcpuExit exit) => exit.Kind switch
    {
        VcpuExitKind.TripleFault => $"vCPU {vcpu.Id} took a triple fault",
        VcpuExitKind.InternalError => $"KVM cannot emulate what vCPU {vcpu.Id} does at 0x{vcpu.Registers.rip:x} (suberror {exit.Address}, 0x{exit.Data:x})",
        VcpuExitKind.EntryFailed => $"the processor refused the state of vCPU {vcpu.Id} (reason 0x{exit.Address:x})",
        VcpuExitKind.HostError => "KVM_RUN",
        _ => $"exit {exit.Address} of vCPU {vcpu.Id} is not one that was asked for",
    };
}
