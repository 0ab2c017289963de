using System.Buffers.Binary;

namespace Sandbox.Control.Jail;

/// <summary>
/// One message of the jail stage to the launcher: eight bytes, passed whole.
/// Either the number of the process that goes on to execute the exe, or the step that failed and why.
/// </summary>
/// <param name="FailedStep">The step that failed, or null: <paramref name="Value"/> is the process number.</param>
/// <param name="Value">The process number as the launcher sees it, or the error number.</param>
public readonly record struct JailReport(JailStep? FailedStep, int Value)
{
    public const int Bytes = 8;

    /// <summary>In <see cref="Value"/>, with no failed step: the process that goes on is the one that sent this.</summary>
    public const int Sender = 0;

    public void Encode(Span<byte> message)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(message, FailedStep.HasValue ? (uint)FailedStep.GetValueOrDefault() : 0);
        BinaryPrimitives.WriteInt32LittleEndian(message[4..], Value);
    }

    public static JailReport Decode(ReadOnlySpan<byte> message)
    {
        uint step = BinaryPrimitives.ReadUInt32LittleEndian(message);
        return new JailReport(step == 0 ? null : (JailStep)step, BinaryPrimitives.ReadInt32LittleEndian(message[4..]));
    }
}
