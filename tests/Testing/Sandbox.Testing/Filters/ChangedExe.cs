using System.Text;
using Sandbox.Linux;
using Sandbox.Seccomp;

namespace Sandbox.Testing.Filters;

/// <summary>
/// A copy of a published exe with another filter in the place of one of its own, or blind for a part of its host. The shipped exe has no switch
/// for either: the copy's bytes are changed.
/// </summary>
public sealed class ChangedExe : IDisposable
{
    private const int BusyTries = 200;
    private const int TextBusy = 26; // ETXTBSY

    private readonly string _source;
    private readonly byte[] _content;

    public ChangedExe(string source)
    {
        _source = source;
        _content = File.ReadAllBytes(source);
    }

    /// <summary>The copy; there once it has been written.</summary>
    public string Path { get; } = System.IO.Path.GetTempFileName();

    public void Dispose() => File.Delete(Path);

    /// <summary>The program of a filter as the exe holds it.</summary>
    public ReadOnlySpan<byte> Filter(string policy)
    {
        (int start, int length) = Find(policy);
        return _content.AsSpan(start, length);
    }

    /// <summary>Puts a cut filter in the place of the whole one. It may be shorter only: what is left of the old one is never reached, but must still be valid instructions.</summary>
    public ChangedExe WithFilter(FilterCut cut)
    {
        ArgumentNullException.ThrowIfNull(cut);
        (int start, int length) = Find(cut.Policy);
        byte[] program = FilterCompiler.ToBytes(FilterCompiler.Compile(cut.Rest, SeccompAction.KillProcess));
        if (program.Length > length)
        {
            throw new ArgumentException("the program is longer than the one it replaces", nameof(cut));
        }

        program.CopyTo(_content, start);
        return this;
    }

    /// <summary>Puts a filter that allows every call of this architecture in the place of each of these.</summary>
    public ChangedExe WithEmptyFilters(params ReadOnlySpan<string> policies)
    {
        byte[] program = FilterCompiler.ToBytes(FilterCompiler.Compile([], SeccompAction.Allow));
        foreach (string policy in policies)
        {
            program.CopyTo(_content, Find(policy).Start);
        }

        return this;
    }

    /// <summary>As on a host whose clock source needs a system call: the C library looks in the vDSO for a function that is not there.</summary>
    public ChangedExe WithoutClockInUserSpace()
    {
        ReadOnlySpan<byte> name = "__vdso_clock_gettime\0"u8;
        int at = _content.AsSpan().IndexOf(name);
        if (at < 0)
        {
            throw new InvalidOperationException("the C library in the exe knows no vDSO");
        }

        "__none_"u8.CopyTo(_content.AsSpan(at));
        return this;
    }

    /// <summary>Writes the copy.</summary>
    public ChangedExe Write()
    {
        File.Copy(_source, Path, overwrite: true); // for its permissions
        File.WriteAllBytes(Path, _content);
        return this;
    }

    /// <summary>
    /// Starts a process of a file that was written a moment ago. A child that another thread is just starting has the writer's fd until its own
    /// exec, and as long the kernel refuses ours (ETXTBSY).
    /// </summary>
    public static ChildProcess Spawn(SpawnSpec spec)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                return Spawner.Spawn(spec);
            }
            catch (LinuxException failure) when ((int)failure.Errno == TextBusy && tries < BusyTries)
            {
                Thread.Sleep(5);
            }
        }
    }

    private (int Start, int Length) Find(string policy)
    {
        policy = System.IO.Path.GetFileName(policy); // one of a test's own lies elsewhere
        byte[] header = [.. Encoding.ASCII.GetBytes(FilterSource.Magic), (byte)policy.Length, .. Encoding.ASCII.GetBytes(policy)];
        int at = _content.AsSpan().IndexOf(header);
        if (at < 0)
        {
            throw new InvalidOperationException($"{_source} holds no filter {policy}");
        }

        int length = BitConverter.ToUInt16(_content, at + header.Length) * BpfInstruction.SizeBytes;
        return (at + header.Length + sizeof(ushort), length);
    }
}
