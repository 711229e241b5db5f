package io.github.internvl4j.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.InternetProtocolFamily;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.vertx.core.transport.Transport;
import java.time.Duration;
import java.util.List;

/** Java's own sockets, with {@link FirstHead} at each connection that comes in: Vert.x has no other door to where it would stand. */
final class WatchedTransport implements Transport {
    private final Duration longest;

    /** @param longest for a connection's first head */
    WatchedTransport(Duration longest) {
        this.longest = longest;
    }

    @Override
    public String name() {
        return NIO.name();
    }

    @Override
    public boolean available() {
        return true;
    }

    @Override
    public Throwable unavailabilityCause() {
        return NIO.unavailabilityCause();
    }

    @Override
    public io.vertx.core.spi.transport.Transport implementation() {
        return new Watched(NIO.implementation());
    }

    private final class Accepting extends NioServerSocketChannel {
        @Override
        protected int doReadMessages(List<Object> accepted) throws Exception {
            int before = accepted.size();
            int more = super.doReadMessages(accepted);
            for (Object channel : accepted.subList(before, accepted.size())) {
                ((Channel) channel).pipeline().addLast(new FirstHead(longest));
            }
            return more;
        }
    }

    private final class Watched implements io.vertx.core.spi.transport.Transport {
        private final io.vertx.core.spi.transport.Transport usual;

        Watched(io.vertx.core.spi.transport.Transport usual) {
            this.usual = usual;
        }

        @Override
        public ChannelFactory<? extends ServerChannel> serverChannelFactory(boolean domainSocket) {
            return domainSocket ? usual.serverChannelFactory(true) : Accepting::new;
        }

        @Override
        public ChannelFactory<? extends Channel> channelFactory(boolean domainSocket) {
            return usual.channelFactory(domainSocket);
        }

        @Override
        public IoHandlerFactory ioHandlerFactory() {
            return usual.ioHandlerFactory();
        }

        @Override
        public DatagramChannel datagramChannel() {
            return usual.datagramChannel();
        }

        @Override
        @SuppressWarnings("deprecation") // the type is Vert.x' choice
        public DatagramChannel datagramChannel(InternetProtocolFamily family) {
            return usual.datagramChannel(family);
        }
    }
}
