# A login node as people find them: talks to everybody, scripts included, and does not end its line.
echo "Welcome to the sandbox cluster, $USER!"
printf 'Your quota: 42%% used. '
