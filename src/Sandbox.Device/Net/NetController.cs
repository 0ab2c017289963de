using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>The control queue (virtio 1.2 §5.1.6.5). A driver may spin until it is answered: every command is, at once.</summary>
internal sealed class NetController
{
    private const int CommandsPerTurn = 16;

    private readonly DescriptorChain _chain = new();
    private readonly byte[] _command = new byte[NetControl.CommandBytes];
    private readonly byte[] _answer = new byte[1];

    /// <summary>True when there is more.</summary>
    public bool Work(NetQueues queues)
    {
        if (queues.Control is not { } control)
        {
            return false;
        }

        control.Ring.SuppressKicks();
        for (int done = 0; done < CommandsPerTurn && control.Ring.TryPop(_chain); done++)
        {
            if (_chain.Writable.IsEmpty)
            {
                control.Ring.Fail(VirtqueueFault.RequestUnanswerable);
                break;
            }

            _answer[0] = Obey(queues) ? NetControl.Ok : NetControl.Error;
            _ = _chain.Writable.TryPut(_answer); // there is a byte, and it is the first (struct virtio_net_ctrl)
            control.Ring.Complete(_chain.HeadIndex, 1);
        }

        _chain.Clear();
        return control.Ring.EnableKicks();
    }

    private bool Obey(NetQueues queues)
    {
        // Without MQ there is nothing to choose.
        if (queues.Count == 1 || _chain.Readable.LengthBytes != NetControl.CommandBytes || !_chain.Readable.TryTake(_command)
            || !NetControl.TryReadSetPairs(_command, queues.Count, out int pairs))
        {
            return false;
        }

        queues.Choose(pairs);
        return true;
    }
}
