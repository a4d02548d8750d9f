# Run by mmdebstrap in the new root, packages installed: what packages cannot know.
echo director > /etc/hostname
rm -f /etc/resolv.conf
ln -s /run/resolv.conf /etc/resolv.conf
ln -s /bin/busybox /sbin/init
# Whatever no package brings, such as mount, poweroff and udhcpc.
for name in $(busybox --list); do
    command -v "$name" > /dev/null || ln -s /bin/busybox "/usr/local/bin/$name"
done
mv /boot/vmlinuz-* /boot/vmlinuz
mv /boot/config-* /boot/config
# What came from the checkout and from pip must not tell who built where.
rm -rf /usr/lib/python3/dist-packages/bin /usr/lib/python3/dist-packages/*.dist-info/RECORD
for place in /etc/inittab /etc/profile /etc/udhcpc /usr/local /usr/lib/python3/dist-packages; do
    chown -R 0:0 "$place"
    chmod -R u=rwX,go=rX "$place"
done
for name in idlelib pydoc_data lib2to3 ensurepip unittest turtledemo; do
    rm -rf /usr/lib/python3*/$name
done
# What packages compiled is theirs by chance: by a process each, whoever is first.
find / -xdev -type d -name __pycache__ -prune -exec rm -r {} +
# Compiled once, here, and never checked against dates that a squashfs has changed.
python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3*
rm -rf /var/log/* /var/cache/* /var/lib/apt/lists/* /usr/share/bug
dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' > /manifest.txt
for place in /usr/lib/python3/dist-packages/*.dist-info; do
    echo "$(basename "$place" .dist-info | tr - ' ') pypi" >> /manifest.txt
done
