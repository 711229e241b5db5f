package io.github.internvl4j.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes a connection whose first head is not whole in time, be it that nothing comes or a byte now and then. Vert.x tells of a
 * connection only then, and its own limits begin anew with each byte. It looks at the bytes and lets them pass: a head ends with an empty
 * line, HTTP/2's preface, too; those before its first letter count for nothing.
 */
final class FirstHead extends ChannelInboundHandlerAdapter {
    private final Duration longest;
    private @Nullable Future<?> deadline;
    private boolean begun;
    private int line; // bytes of it, its end not among them

    FirstHead(Duration longest) {
        this.longest = longest;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        Runnable close = () -> {
            var ignored = context.close();
        };
        deadline = context.executor().schedule(close, longest.toMillis(), TimeUnit.MILLISECONDS);
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof ByteBuf bytes && ends(bytes)) {
            stop();
            context.pipeline().remove(this);
        }
        context.fireChannelRead(message);
    }

    private boolean ends(ByteBuf bytes) {
        for (int at = bytes.readerIndex(); at < bytes.writerIndex(); at++) {
            byte c = bytes.getByte(at);
            if (c == '\n') {
                if (begun && line == 0) {
                    return true;
                }
                line = 0;
            } else if (c != '\r' || line > 0) {
                line++;
                begun |= c > ' ' && c < 0x7f;
            }
        }
        return false;
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        stop();
        context.fireChannelInactive();
    }

    /** A client that was killed, say: nothing went wrong here, but Vert.x would tell of it as of something severe. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
        if (!(failure instanceof IOException)) {
            context.fireExceptionCaught(failure);
            return;
        }
        System.getLogger("io.github.internvl4j.server")
                .log(Level.DEBUG, "a connection ended before its first request", failure);
        var ignored = context.close();
    }

    private void stop() {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
